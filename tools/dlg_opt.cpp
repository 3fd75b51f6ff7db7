// The program `dlg-opt`: reads textual IR, runs named passes, prints. Everything it does lives in driver/.
#include "driver/main.h"

int main(int argc, char** argv) {
  return dlg::run_dlg_opt(argc, argv);
}
