// 2D keypoints on a canvas, over the image of the frame where the page has images.

import { RIGHT_SHADE, pageColour, personColour } from "page/colours";
import { readValue } from "page/data";

/** Below, a 2D keypoint is not drawn, as in our videos. */
const LEAST_SCORE = 0.3;
/** Images that are kept decoded: enough for steps to and fro. */
const KEPT = 8;

export class Image2D {
  constructor(canvas, scene, state, numbers) {
    Object.assign(this, { canvas, scene, state, numbers });
    this.context = canvas.getContext("2d");
    this.people = scene.people.filter((person) => person.image);
    // Predictions of one clip were made from one 2D, which belongs to none of them.
    const first = this.people[0]?.image.points.values;
    this.shared = this.people.length > 1 && this.people.every((person) => person.image.points.values === first);
    this.size = shownPart(scene, this.people);
    this.decoded = new Map();
    canvas.style.aspectRatio = `${this.size.width} / ${this.size.height}`;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  draw() {
    const { canvas, context, size } = this;
    const ratio = Math.min(2, window.devicePixelRatio);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round((width * size.height) / size.width);
    if (width === 0) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    this.drawPicture(width, height);
    this.drawBorder(width / size.width);
    this.scale = width / size.width;
    this.line = Math.max(1.5, width / 220);
    for (const person of this.shared ? this.people.slice(0, 1) : this.people) {
      const row = this.shared || this.state.shown[person.index] ? person.rowAt[this.state.frame] : -1;
      const colour = personColour(this.numbers[person.index], this.state.theme);
      if (row >= 0) this.drawPerson(person, row, this.shared ? pageColour("ground-truth") : colour);
    }
  }

  drawPerson(person, row, colour) {
    const { points, scores, skeleton } = person.image;
    const number = skeleton.parents.length;
    const from = [this.size.left, this.size.top];
    const place = (k, c) => (readValue(points, 2 * (row * number + k) + c) - from[c]) * this.scale;
    const seen = (k) => scores[row * number + k] >= 255 * LEAST_SCORE && Number.isFinite(place(k, 0) + place(k, 1));
    const { context } = this;
    context.lineCap = "round";
    context.lineWidth = this.line;
    skeleton.parents.forEach((parent, k) => {
      if (parent < 0 || !seen(k) || !seen(parent)) return;
      context.strokeStyle = skeleton.sides[k] === "right" ? darker(colour) : colour;
      context.beginPath();
      context.moveTo(place(parent, 0), place(parent, 1));
      context.lineTo(place(k, 0), place(k, 1));
      context.stroke();
    });
    context.fillStyle = pageColour("panel");
    context.strokeStyle = colour;
    context.lineWidth = this.line / 2;
    for (let k = 0; k < number; k += 1) {
      if (!seen(k)) continue;
      context.beginPath();
      context.arc(place(k, 0), place(k, 1), this.line, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  drawPicture(width, height) {
    if (!this.scene.images) return;
    const number = Math.min(this.scene.images.ends.length - 1, Math.floor(this.state.frame / this.scene.images.step));
    this.decode(number);
    this.decode(number + 1);
    const bitmap = this.decoded.get(number) ?? this.last;
    if (!bitmap) return;
    this.last = bitmap;
    this.context.drawImage(bitmap, 0, 0, width, height);
  }

  /** The edges of the camera's image, where they are in view. */
  drawBorder(scale) {
    const { left, top } = this.size;
    this.context.strokeStyle = pageColour("axis");
    this.context.lineWidth = 1;
    this.context.strokeRect(-left * scale, -top * scale, this.scene.width * scale, this.scene.height * scale);
  }

  async decode(number) {
    const { ends, bytes } = this.scene.images;
    if (number >= ends.length || this.decoded.has(number)) return;
    this.decoded.set(number, null);
    const jpeg = bytes.subarray(number === 0 ? 0 : ends[number - 1], ends[number]);
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    this.decoded.set(number, bitmap);
    for (const [old, kept] of this.decoded) {
      if (this.decoded.size <= KEPT) break;
      this.decoded.delete(old);
      if (kept !== this.last) kept?.close();
    }
    this.draw();
  }
}

/** Left, top, width and height, px, of what is shown: the images, or without any where people are. */
function shownPart(scene, people) {
  const whole = { left: 0, top: 0, width: scene.width, height: scene.height };
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const { image } of people) {
    for (let i = 0; i < image.scores.length; i += 1) {
      if (image.scores[i] < 255 * LEAST_SCORE) continue;
      for (let c = 0; c < 2; c += 1) {
        const value = readValue(image.points, 2 * i + c);
        if (value < low[c]) low[c] = value;
        if (value > high[c]) high[c] = value;
      }
    }
  }
  if ((scene.images && scene.width > 0 && scene.height > 0) || !(low[0] < high[0])) {
    return whole.width > 0 && whole.height > 0 ? whole : { ...whole, width: 4, height: 3 };
  }
  const margin = 0.08 * Math.max(high[0] - low[0], high[1] - low[1]);
  const tall = high[1] - low[1] + 2 * margin;
  // Neither a narrow stripe nor a flat one.
  const width = Math.max(high[0] - low[0] + 2 * margin, tall);
  const height = Math.max(tall, width / 2);
  return { left: (low[0] + high[0] - width) / 2, top: (low[1] + high[1] - height) / 2, width, height };
}

function darker(colour) {
  const parts = [1, 3, 5].map((i) => Math.round(RIGHT_SHADE * parseInt(colour.slice(i, i + 2), 16)));
  return `rgb(${parts.join(" ")})`;
}
