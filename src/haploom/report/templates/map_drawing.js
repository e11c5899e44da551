"use strict";
// Shapes, the pixels of points, numbers at axes.

// Named as matplotlib names them, around (0, 0), about 1 from it; y points down.
const SHAPES = {
  o: "M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z",
  s: "M-.87-.87H.87V.87H-.87Z",
  "^": "M0-1.1L1.05 .8H-1.05Z",
  v: "M0 1.1L1.05-.8H-1.05Z",
  D: "M0-1.2L1.1 0 0 1.2-1.1 0Z",
  P: "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
  X: "M-.6-1.15L0-.55.6-1.15 1.15-.6.55 0 1.15.6.6 1.15 0 .55-.6 1.15-1.15.6-.55 0-1.15-.6Z",
};
// Rows in an order that mixes all of them, so that no label is always painted over.
function mixedOrder(n) {
  const common = (a, b) => (b ? common(b, a % b) : a);
  let step = Math.max(1, Math.floor(0.618 * n));
  while (n && common(step, n) !== 1) step++;
  const order = new Uint32Array(n);
  for (let i = 0, row = 0; i < n; i++, row = (row + step) % n) order[i] = row;
  return order;
}

// A shape of one colour as alphas: uint8 (size, size). radius_px: in pixels of the canvas.
const stamps = new Map();
function stampOf({ colour, marker }, radius_px, alpha) {
  const key = [colour, marker, radius_px, alpha].join();
  if (!stamps.has(key)) {
    const size = 2 * Math.ceil(1.25 * radius_px) + 1;
    const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.setTransform(radius_px, 0, 0, radius_px, size / 2, size / 2);
    context.globalAlpha = alpha;
    context.fill(new Path2D(SHAPES[marker]));
    const pixels = context.getImageData(0, 0, size, size).data;
    const [red, green, blue] = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
    stamps.set(key, { size, alphas: Uint8Array.from({ length: size * size }, (_, i) => pixels[4 * i + 3]), red, green, blue });
  }
  return stamps.get(key);
}

// Paint a stamp over what is there, centred at (x, y). Porter & Duff 1984, "over".
function blend({ pixels, across, left, right, bottom }, x, y, { size, alphas, red, green, blue }) {
  const [u0, v0] = [Math.round(x - size / 2), Math.round(y - size / 2)];
  const [u_end, v_end] = [Math.min(right, u0 + size), Math.min(bottom, v0 + size)];
  for (let v = Math.max(0, v0); v < v_end; v++) {
    for (let u = Math.max(left, u0); u < u_end; u++) {
      const alpha = alphas[(v - v0) * size + u - u0];
      if (!alpha) continue;
      const at = 4 * (v * across + u);
      const below = (pixels[at + 3] * (255 - alpha)) / 255;
      const sum = alpha + below;
      pixels[at] = (red * alpha + pixels[at] * below) / sum;
      pixels[at + 1] = (green * alpha + pixels[at + 1] * below) / sum;
      pixels[at + 2] = (blue * alpha + pixels[at + 2] * below) / sum;
      pixels[at + 3] = sum;
    }
  }
}

function line(context, ax, ay, bx, by) {
  context.beginPath();
  context.moveTo(ax, ay);
  context.lineTo(bx, by);
  context.stroke();
}

// Round numbers between two, about `wanted` of them.
function ticks(low, high, wanted) {
  const rough = (high - low) / Math.max(2, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push({ value: i * step, text: (i * step).toFixed(digits) });
  return found;
}
