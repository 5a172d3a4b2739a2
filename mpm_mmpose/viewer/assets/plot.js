// The error of every frame as a line a person; a press goes to that frame. The lines are drawn once, the frame above.

import { pageColour, personColour } from "page/colours";

const LEFT = 46;
const RIGHT = 10;
const TOP = 16;
const BOTTOM = 18;
/** Part of the frames that may be above the top, so that one wild frame does not flatten all others. */
const BEYOND = 0.005;

export class Plot {
  constructor(canvas, scene, state, numbers) {
    Object.assign(this, { canvas, scene, state, numbers });
    this.context = canvas.getContext("2d");
    this.people = scene.people.filter((person) => person.errors);
    this.top = niceTop(this.people);
    this.lines = document.createElement("canvas");
    const go = (event) => {
      if (event.type === "pointerdown") canvas.setPointerCapture(event.pointerId);
      if (event.buttons & 1) state.stepTo(this.frameAt(event.offsetX));
    };
    canvas.addEventListener("pointerdown", go);
    canvas.addEventListener("pointermove", go);
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  /** Lines and axes anew; after a change of size, theme or people. */
  redraw() {
    this.ratio = Math.min(2, window.devicePixelRatio);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    for (const canvas of [this.canvas, this.lines]) {
      canvas.width = Math.max(1, Math.round(this.width * this.ratio));
      canvas.height = Math.max(1, Math.round(this.height * this.ratio));
    }
    const context = this.lines.getContext("2d");
    context.scale(this.ratio, this.ratio);
    this.drawAxes(context);
    for (const person of this.people) {
      if (this.state.shown[person.index]) this.drawLine(context, person);
    }
    this.draw();
  }

  draw() {
    if (!this.width) return;
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.lines, 0, 0);
    context.scale(this.ratio, this.ratio);
    const x = this.x(this.state.frame);
    context.strokeStyle = pageColour("ink");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, TOP);
    context.lineTo(x, this.height - BOTTOM);
    context.stroke();
    for (const person of this.people) {
      const row = this.state.shown[person.index] ? person.rowAt[this.state.frame] : -1;
      if (row < 0 || !Number.isFinite(person.errors[row])) continue;
      context.fillStyle = personColour(this.numbers[person.index], this.state.theme);
      context.beginPath();
      context.arc(x, this.y(person.errors[row]), 4, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** The highest and lowest error of each px, or each frame where there are fewer; a dot where there is one alone. */
  drawLine(context, person) {
    context.strokeStyle = personColour(this.numbers[person.index], this.state.theme);
    context.lineWidth = 1.4;
    context.lineJoin = "round";
    const { frames } = this.scene;
    const steps = Math.min(frames, Math.max(1, Math.round(this.width - LEFT - RIGHT)));
    let drawing = false;
    let alone = null;
    const dots = [];
    context.beginPath();
    for (let step = 0; step < steps; step += 1) {
      const first = Math.floor((step * frames) / steps);
      const end = Math.max(first + 1, Math.floor(((step + 1) * frames) / steps));
      let low = Infinity;
      let high = -Infinity;
      for (let frame = first; frame < end; frame += 1) {
        const error = person.rowAt[frame] < 0 ? NaN : person.errors[person.rowAt[frame]];
        if (Number.isFinite(error)) {
          low = Math.min(low, error);
          high = Math.max(high, error);
        }
      }
      const there = low <= high;
      if (!there && alone) dots.push(alone);
      alone = there && !drawing ? [this.x(first), this.y(low)] : null;
      if (there && drawing) context.lineTo(this.x(first), this.y(low));
      if (there && !drawing) context.moveTo(this.x(first), this.y(low));
      if (there && high > low) context.lineTo(this.x(first), this.y(high));
      drawing = there;
    }
    context.stroke();
    context.fillStyle = context.strokeStyle;
    for (const [x, y] of alone ? [...dots, alone] : dots) {
      context.beginPath();
      context.arc(x, y, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  drawAxes(context) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = pageColour("faint");
    context.strokeStyle = pageColour("line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let part = 0; part <= 4; part += this.height < 100 ? 2 : 1) {
      const error = (this.top * part) / 4;
      const y = Math.round(this.y(error)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(this.width - RIGHT, y);
      context.stroke();
      context.fillText(`${error}`, LEFT - 6, y);
    }
    context.textAlign = "left";
    context.fillText("error of each frame, mm", LEFT, 6);
    context.textBaseline = "bottom";
    const last = this.scene.times[this.scene.frames - 1];
    const step = niceStep(last / Math.max(2, Math.min(10, this.width / 110)));
    for (let time = 0; step > 0 && time <= last; time += step) {
      const x = LEFT + (time / last) * (this.width - LEFT - RIGHT);
      context.textAlign = time === 0 ? "left" : x > this.width - 30 ? "right" : "center";
      context.fillText(`${Number(time.toFixed(3))} s`, x, this.height - 1);
    }
  }

  x(frame) {
    return LEFT + (frame / Math.max(1, this.scene.frames - 1)) * (this.width - LEFT - RIGHT);
  }

  y(error) {
    const part = Math.min(1, error / this.top);
    return this.height - BOTTOM - part * (this.height - TOP - BOTTOM);
  }

  frameAt(x) {
    return ((x - LEFT) / (this.width - LEFT - RIGHT)) * (this.scene.frames - 1);
  }
}

/** A multiple of 4 with one or two digits that nearly all errors are below. */
function niceTop(people) {
  const all = people.flatMap((person) => Array.from(person.errors).filter(Number.isFinite)).sort((a, b) => a - b);
  const high = all.length ? all[Math.floor((all.length - 1) * (1 - BEYOND))] : 0;
  return 4 * Math.max(1, niceStep((1.05 * high) / 4));
}

/** The least of 1, 2, 2.5, 5 times a power of ten that is not below the value. */
function niceStep(value) {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 2.5, 3, 4, 5, 6, 8, 10].find((digit) => digit * power >= value * 0.999999);
}
