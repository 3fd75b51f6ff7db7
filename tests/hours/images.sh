#!/usr/bin/env bash
# The hour of a student with images: from an empty folder to a network trained on one's own folders of pictures, with the mistakes
# that one makes on the way, a wrong prediction looked at, dropout added, and both runs compared.
#   images.sh BUILD
set -euo pipefail
dlg=$(realpath "$1")/dlg
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  printf '%s\n' "$said" "images.sh: $1" >&2
  exit 1
}
# says CODE WORDS COMMAND...: the command ends with this code and says these words.
says() {
  local code=$1 words=$2 ended=0
  shift 2
  printf '$ dlg %s\n' "$*" >&2
  said=$("$dlg" "$@" 2>&1) || ended=$?
  [[ $ended == "$code" ]] || fail "exit code $ended, expected $code"
  [[ $said == *"$words"* ]] || fail "nothing says \`$words\`"
}
# percent RUN: its accuracy on the pictures for the test, times 100.
percent() {
  says 0 "test accuracy" eval shapes.dlg --run "$1"
  sed -n 's/^test accuracy \([0-9]*\)\.\([0-9]*\) %$/\1\2/p' <<<"$said"
}

# Scans of one's own drawings: a folder for each class.
python3 "$here/draw_shapes.py" train 60 1
python3 "$here/draw_shapes.py" test 20 2

cat >shapes.dlg <<'END'
dlg 1
dim cls = 3
data shapes {
  file  = images("trian/*/*.png")
  test  = images("test/*/*.png")
  x     = image / 255 as [chan: 1, row: 28, col: 28]
  t     = label
  split = shares(train = 0.9, val = 0.1, seed = 1)
}
model cnn(x: [chan, row, col]) -> [cls] {
  seen = conv2d(x, 8, kernel = 5) |> relu |> max_pool |> conv2d(12, kernel = 3) |> relu |> max_pool |> flatten
  return seen |> dense(cls)
}
train {
  minimize  = cross_entropy(cnn(shapes.x), shapes.t)
  optimizer = adam(lr = 3e-3)
  batch     = 16
  stop      = [12 epochs]
  metrics   = [accuracy(cnn(shapes.x), shapes.t)]
}
END
# What is wrong comes with a place and a way out, one after the other.
says 1 'no file fits `trian/*/*.png`' check shapes.dlg
sed -i 's/trian/train/' shapes.dlg
says 1 '`as [1, 16, 16]` takes each as it is' check shapes.dlg
sed -i 's/28/16/g' shapes.dlg
cp test/circle/000.png whole.png
head -c 90 whole.png >test/circle/000.png
says 1 '`test/circle/000.png` is no PNG picture that can be read: it was cut short' check shapes.dlg
mv whole.png test/circle/000.png
says 0 'model cnn, 1663 trained numbers, 240 samples' check shapes.dlg

says 0 'wrote runs/0001-shapes' train shapes.dlg --quiet --seed 1
plain=$(percent 1)
((plain >= 8500)) || fail "of the test part $plain hundredths of a percent are right, expected 8500"

# Which ones are wrong, and what does it take them for?
says 0 'wrote mistakes.png' eval shapes.dlg --confusion confusion.svg --mistakes mistakes.png --filters filters.png
[[ $(head -c 4 mistakes.png | tail -c 3) == PNG && $(head -c 4 filters.png | tail -c 3) == PNG ]] || fail "no PNG"
grep -q '^<svg' confusion.svg || fail "no SVG"
wrong=$(sed -n 's/^  \(test\/[a-z]*\/[0-9]*\.png\): \([a-z]*\) as \([a-z]*\)$/\1 \2 \3/p' <<<"$said" | head -n 1)
[[ -n $wrong ]] || fail "no picture is named that was taken for another class"
read -r picture class taken <<<"$wrong"
[[ $picture == "test/$class/"* && $class != "$taken" ]] || fail "$picture is no $class"
says 0 "$taken," predict shapes.dlg "$picture"
says 0 'wrote seen.png' step shapes.dlg --picture seen.png

# Dropout against what it learns by heart; the old run stays, and both are compared.
sed -i 's/return seen |> dense/return seen |> dropout(0.3) |> dense/; s/12 epochs/40 epochs/' shapes.dlg
says 0 'wrote runs/0002-shapes' train shapes.dlg --quiet --seed 1
dropped=$(percent 2)
((dropped >= plain)) || fail "dropout and longer training: $dropped, before $plain"
says 0 'is not the program that the run' eval shapes.dlg --run 1
[[ $said == *"test accuracy ${plain%??}.${plain: -2} %"* ]] || fail "the run without dropout is evaluated to other numbers"
sed -i 's/ |> dropout(0.3)//' shapes.dlg
says 0 'is not the program that the run' eval shapes.dlg --run 2
echo "of the test part $plain hundredths of a percent before, $dropped after"
