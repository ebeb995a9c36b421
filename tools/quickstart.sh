#!/usr/bin/env bash
# From nothing to results: set up, make data, train a small model, test it, draw what it found.
#
#   bash tools/quickstart.sh                     instances, TeViT: about 12 minutes on two CPU cores,
#                                                a fresh environment included
#   bash tools/quickstart.sh vps                 panoptic, MinVIS
#   bash tools/quickstart.sh vss                 semantic, MinVIS
#   bash tools/quickstart.sh --cfg-options ...   more arguments go to tools/train.py
#
# An interrupted run goes on where it stopped. Begin anew: rm -r work_dirs/quickstart
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

task=vis
case "${1:-}" in
    vis | vps | vss) task=$1 && shift ;;
esac
hard=(--difficulty 0.2 --length 20 --train 600)
case $task in
    vis)
        config=configs/shapes/tevit_msgshift_shapes.py out=work_dirs/quickstart
        data=data/shapes make=()
        folder=$out results=$out/results.json
        draw=(--ann $data/val.json --root $data/val/JPEGImages --score-thr 0.25)
        ;;
    vps)
        config=configs/shapes/minvis_shapes_vps.py out=work_dirs/quickstart_vps
        data=data/shapes_vipseg make=(--format vipseg "${hard[@]}")
        folder=$out/results results=$out/results
        draw=(--ann $data/panoptic_gt_VIPSeg_val.json)
        ;;
    vss)
        config=configs/shapes/minvis_shapes_vss.py out=work_dirs/quickstart_vss
        data=data/shapes_vspw make=(--format vspw "${hard[@]}")
        folder=$out/results results=$out/results
        draw=(--ann $data/val.txt)
        ;;
esac
start=$SECONDS
heading() { printf '\n[%s] %s (%d min %02d s so far)\n' "$1" "$2" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)); }

heading 1/5 'Environment'
python=$(bash tools/setup_env.sh)

heading 2/5 'Shapes: small videos with exact masks'
"$python" tools/dataset_converters/make_shapes.py --out $data ${make[@]+"${make[@]}"}

heading 3/5 'Training a small model'
mkdir -p $out
if [ -e $out/trained ]; then
    echo "  done before; to train again: rm -r $out"
else
    "$python" tools/train.py $config --work-dir $out --no-validate --resume "$@"
    touch $out/trained
fi
checkpoint=$(cat $out/last_checkpoint)

heading 4/5 'Testing on the validation videos'
"$python" tools/test_vis.py $config "$checkpoint" --out $folder

heading 5/5 'Drawing'
"$python" tools/visualize_results.py $results "${draw[@]}" --out $out/vis --contact-sheet

heading done 'Quickstart'
echo "  results:       $results"
echo "  contact sheet: $out/vis/contact_sheet.png"
echo "  overlays:      $out/vis/overlays/ (mp4, one a video)"
echo "  checkpoint:    $checkpoint"
echo "Your own video: $python tools/demo_video.py VIDEO $config $checkpoint"
