#!/usr/bin/env bash
# From nothing to results: set up, make data, train a small TeViT, test it, draw what it found.
#
#   bash tools/quickstart.sh                     about 12 minutes on two CPU cores, a fresh environment included
#   bash tools/quickstart.sh --cfg-options ...   more arguments go to tools/train.py
#
# An interrupted run goes on where it stopped. Begin anew: rm -r work_dirs/quickstart
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

config=configs/shapes/tevit_msgshift_shapes.py
data=data/shapes
out=work_dirs/quickstart
start=$SECONDS
heading() { printf '\n[%s] %s (%d min %02d s so far)\n' "$1" "$2" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)); }

heading 1/5 'Environment'
python=$(bash tools/setup_env.sh)

heading 2/5 'Shapes: small videos with exact masks'
"$python" tools/dataset_converters/make_shapes.py --out $data

heading 3/5 'Training a small TeViT'
mkdir -p $out
if [ -e $out/trained ]; then
    echo "  done before; to train again: rm -r $out"
else
    "$python" tools/train.py $config --work-dir $out --no-validate --resume "$@"
    touch $out/trained
fi
checkpoint=$(cat $out/last_checkpoint)

heading 4/5 'Testing on the validation videos'
"$python" tools/test_vis.py $config "$checkpoint" --out $out

heading 5/5 'Drawing'
"$python" tools/visualize_results.py $out/results.json --json $data/val.json \
    --root $data/val/JPEGImages --out $out/vis --score-thr 0.25 --contact-sheet

heading done 'Quickstart'
echo "  results:       $out/results.json"
echo "  contact sheet: $out/vis/contact_sheet.png"
echo "  overlays:      $out/vis/overlays/ (mp4, one a video)"
echo "  checkpoint:    $checkpoint"
echo "Your own video: $python tools/demo_video.py VIDEO $config $checkpoint"
