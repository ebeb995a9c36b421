'use strict';
// Masks on a picture: filled with the colours of their tubes, with contours and labels.

const DIMMED = 0.3;

// One canvas of a page, with the tubes that are drawn on it.
class Panel {
  // `tubes`: of {id, label, color, masks, isShown}, the best first, which lies on top.
  constructor(canvas, size, tubes) {
    const [height, width] = size;
    this.size = size;
    this.tubes = tubes;
    this.frame = -1;
    // small videos are enlarged, or labels would be as coarse as their pixels
    this.scale = Math.max(1, Math.ceil(480 / width));
    canvas.width = width * this.scale;
    canvas.height = height * this.scale;
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.map = new Uint16Array(height * width);
    this.layer = new OffscreenCanvas(width, height);
    this.layerContext = this.layer.getContext('2d');
    this.pixels = this.layerContext.createImageData(width, height);
  }

  // `picture`: a video element, or null for none. `options`: opacity (0 to 1), labels, selected.
  draw(picture, frame, options) {
    const [height, width] = this.size;
    this.frame = frame;
    this.context.imageSmoothingEnabled = this.scale === 1;
    if (picture) {
      // a video of an odd size has a row or column more
      this.context.drawImage(
        picture, 0, 0, width, height, 0, 0, this.canvas.width, this.canvas.height);
    } else {
      this.context.fillStyle = '#222';
      this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    }
    if (!options.opacity || !this.tubes.length) return;
    const labels = this.paint(frame, options);
    this.context.drawImage(this.layer, 0, 0, this.canvas.width, this.canvas.height);
    if (options.labels) labels.forEach((label) => this.write(label));
  }

  // Draw the masks of a frame on the layer; returns where their labels go.
  paint(frame, options) {
    const [height] = this.size;
    const fills = [0];
    const contours = [0];
    const labels = [];
    this.map.fill(0);
    const { selected } = options;
    const isDimmed = Boolean(selected?.masks[frame]);
    for (const tube of this.inOrder(frame, selected)) {
      const strength = isDimmed && tube !== selected ? DIMMED : 1;
      const top = paintMask(this.map, tube.masks[frame], fills.length, height);
      fills.push(pixel(tube.color, options.opacity * strength));
      contours.push(pixel(tube.color, strength));
      if (top && strength === 1) labels.push({ ...top, tube });
    }
    this.compose(fills, contours);
    return labels;
  }

  // The tubes of a frame from the lowest to the uppermost: the selected one hides behind none.
  inOrder(frame, selected) {
    const others = this.tubes.filter((tube) => tube.isShown && tube !== selected).toReversed();
    return [...others, selected].filter((tube) => tube?.masks[frame]);
  }

  // From the numbers of the map, which goes down the columns, to the pixels of the layer.
  compose(fills, contours) {
    const [height, width] = this.size;
    const { map } = this;
    const target = new Uint32Array(this.pixels.data.buffer);
    for (let x = 0; x < width; x += 1) {
      for (let y = 0; y < height; y += 1) {
        const at = x * height + y;
        const number = map[at];
        let value = 0;
        if (number) {
          const isContour = (y > 0 && map[at - 1] !== number)
            || (y < height - 1 && map[at + 1] !== number)
            || (x > 0 && map[at - height] !== number)
            || (x < width - 1 && map[at + height] !== number);
          value = isContour ? contours[number] : fills[number];
        }
        target[y * width + x] = value;
      }
    }
    this.layerContext.putImageData(this.pixels, 0, 0);
  }

  write({ x, y, tube }) {
    const { context, canvas } = this;
    const unit = canvas.width / (canvas.clientWidth || canvas.width);
    context.font = `${12 * unit}px system-ui, sans-serif`;
    const width = context.measureText(tube.label).width + 8 * unit;
    const height = 17 * unit;
    const left = Math.max(0, Math.min(x * this.scale, canvas.width - width));
    const upper = Math.max(0, Math.min(y * this.scale - height, canvas.height - height));
    const [red, green, blue] = tube.color;
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(left, upper, width, height);
    context.fillStyle = 0.3 * red + 0.59 * green + 0.11 * blue > 140 ? '#000' : '#fff';
    context.fillText(tube.label, left + 4 * unit, upper + 12.5 * unit);
  }
}

// A colour with an opacity as one number, in the order of bytes that all machines of today have.
function pixel([red, green, blue], opacity) {
  return ((Math.round(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
