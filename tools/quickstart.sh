#!/usr/bin/env bash
# From nothing to results: set up, look at an example, make data, train a small model, test it, draw.
#
#   bash tools/quickstart.sh                     instances: about 5 minutes on two CPU cores, a fresh
#                                                environment included
#   bash tools/quickstart.sh vps                 panoptic
#   bash tools/quickstart.sh vss                 semantic
#   bash tools/quickstart.sh --cfg-options ...   more arguments go to tools/train.py; such a run has a
#                                                folder of its own, work_dirs/quickstart_NUMBER
#
# An interrupted run goes on where it stopped. Begin anew: rm -r work_dirs/quickstart
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

task=vis
case "${1:-}" in
    vis | vps | vss) task=$1 && shift ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' tools/quickstart.sh; exit ;;
    [!-]*) echo "error: no task $1; there are vis, vps and vss" >&2; exit 2 ;;
esac
hard=(--difficulty 0.2 --length 20 --train 600)
case $task in
    vis)
        config=configs/shapes/minvis_shapes_quickstart.py out=work_dirs/quickstart
        data=data/shapes make=()
        start='backbone and pixel decoder start from the example, the rest from random weights'
        ;;
    vps)
        config=configs/shapes/minvis_shapes_vps.py out=work_dirs/quickstart_vps
        start='all of it starts from random weights'
        data=data/shapes_vipseg make=(--format vipseg "${hard[@]}")
        ;;
    vss)
        config=configs/shapes/minvis_shapes_vss.py out=work_dirs/quickstart_vss
        start='all of it starts from random weights'
        data=data/shapes_vspw make=(--format vspw "${hard[@]}")
        ;;
esac

fail() { printf 'error: %s\n' "$@" >&2; exit 1; }
number() { cksum | cut -d ' ' -f 1; }

for option in "$@"; do
    case $option in
        --work-dir* | --resume* | --overwrite | --no-validate) fail "$option: is set here, leave it out" ;;
    esac
done
# Other options, another run: one never passes for the other.
[ $# = 0 ] || out=${out}_$(printf '%s\n' "$@" | number)
case $task in
    vis)
        folder=$out results=$out/results.json
        draw=(--ann $data/val.json --root $data/val/JPEGImages)
        ;;
    vps) folder=$out/results results=$folder draw=(--ann $data/panoptic_gt_VIPSeg_val.json) ;;
    vss) folder=$out/results results=$folder draw=(--ann $data/val.txt) ;;
esac

# What the run is made with. The same in $out/run.txt: it goes on; in $out/trained: it is done.
recipe=$(cat "$config" configs/_base_/*.py configs/_base_/*/*.py | number)
run=$(printf 'config:  %s\noptions: %s\nrecipe:  %s' "$config" "$*" "$recipe")
if [ -e "$out/trained" ] || [ -e "$out/last_checkpoint" ]; then
    found=$(cat "$out/run.txt" 2>/dev/null || echo 'not noted')
    [ "$found" = "$run" ] || fail "$out holds a run that was made with other settings" \
        "there: ${found//$'\n'/; }" "now: ${run//$'\n'/; }" \
        "Throw it away with   rm -r $out" "or keep it with      mv $out ${out}_old"
fi
note() { printf '%s\n' "$run" >"$out/.$1.part" && mv "$out/.$1.part" "$out/$1"; }

names=() starts=()
span() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }
begin() {
    names+=("$1") starts+=($SECONDS)
    printf '\n[%d/6] %s (%s so far)\n' ${#names[@]} "$2" "$(span $((SECONDS - starts[0])))"
}

begin environment 'Environment'
python=$(bash tools/setup_env.sh)

begin example 'Example: a small model that ships with mmvseg, on a clip'
mkdir -p $out
"$python" tools/demo_video.py --example --out $out/example.mp4

begin data 'Shapes: small videos with exact masks'
"$python" tools/dataset_converters/make_shapes.py --out $data ${make[@]+"${make[@]}"}

begin training "Training a small model; $start"
if [ -e $out/trained ]; then
    echo "  done before; to train again: rm -r $out"
else
    note run.txt
    "$python" tools/train.py $config --work-dir $out --no-validate --resume "$@"
    note trained
fi
checkpoint=$(cat $out/last_checkpoint)

begin test 'Testing on the validation videos'
"$python" tools/test_vis.py $config "$checkpoint" --out $folder

begin drawing 'Drawing the first 12 of them'
"$python" tools/visualize_results.py $results "${draw[@]}" --out $out/vis --first 12 --contact-sheet

printf '\n[done] Where the time went\n'
starts+=($SECONDS)
for i in "${!names[@]}"; do
    printf '  %-12s %14s\n' "${names[i]}" "$(span $((starts[i + 1] - starts[i])))"
done
printf '  %-12s %14s\n\n' 'whole run' "$(span $((starts[${#names[@]}] - starts[0])))"
echo "  example:       $out/example.mp4"
echo "  results:       $results"
echo "  contact sheet: $out/vis/contact_sheet.png"
echo "  overlays:      $out/vis/overlays/ (mp4, one a video)"
echo "  all overlays:  $python tools/visualize_results.py $results ${draw[*]} --out $out/vis"
echo "  checkpoint:    $checkpoint"
echo "Your own video: $python tools/demo_video.py VIDEO $config $checkpoint"
