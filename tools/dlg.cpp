// The program `dlg`: everything it does lives in driver/.
#include "driver/main.h"

int main(int argc, char** argv) {
  return dlg::run_dlg(argc, argv);
}
