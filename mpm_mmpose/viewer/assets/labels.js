// Names above heads, and what the joint under the pointer is: HTML over the canvas.

import { Vector3 } from "three";
import { personColour } from "page/colours";
import { readValue } from "page/data";

/** m */
const ABOVE = 0.16;
/** px */
const NEAR = 14;
const STACK = 38;

export class Labels {
  constructor(box, scene, state, bodies, camera, numbers) {
    Object.assign(this, { box, people: scene.people, state, bodies, camera, numbers });
    this.names = scene.people.map((person) => {
      const label = box.appendChild(document.createElement("div"));
      label.append(person.name, document.createElement("span"));
      return label;
    });
    this.tip = box.appendChild(document.createElement("div"));
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.pointer = null;
    this.place = new Vector3();
  }

  /** Of the box, px; asked for once a change, as the browser lays out the page to answer. */
  resize(width, height) {
    Object.assign(this, { width, height });
  }

  paint() {
    this.names.forEach((label, index) => {
      label.style.color = personColour(this.numbers[index], this.state.theme);
    });
  }

  update() {
    // In one place names would lie over each other: there they are stacked above the highest head.
    const heads = this.people.map((person) => this.headOf(person));
    const highest = Math.max(...heads);
    let stacked = 0;
    for (const person of this.people) {
      const label = this.names[person.index];
      label.hidden = heads[person.index] === -Infinity || !this.state.labels;
      if (label.hidden) continue;
      const error = person.errors ? person.errors[person.rowAt[this.state.frame]] : NaN;
      const text = this.state.ground_truth && Number.isFinite(error) ? `${error.toFixed(0)} mm` : "";
      if (label.lastChild.textContent !== text) label.lastChild.textContent = text;
      const one = this.state.place === "same";
      const points = this.bodies.poses[person.index];
      this.place.set(points[0], (one ? highest : heads[person.index]) + ABOVE, points[2]);
      this.move(label, one ? `translate(-50%, calc(-100% - ${STACK * stacked}px))` : "translate(-50%, -100%)");
      stacked += 1;
    }
    this.updateTip();
  }

  /** Height of a person's highest keypoint, -Infinity if nobody is there. */
  headOf(person) {
    const points = this.bodies.poses[person.index];
    const known = this.bodies.known[person.index];
    let top = -Infinity;
    for (let k = 0; k < known.length; k += 1) {
      if (known[k]) top = Math.max(top, points[3 * k + 1]);
    }
    return top;
  }

  updateTip() {
    const found = this.pointer ? this.nearest() : null;
    this.tip.hidden = found === null;
    if (!found) return;
    const { person, k } = found;
    const row = person.rowAt[this.state.frame];
    const parts = [person.skeleton.names[k]];
    if (person.ground_truth && this.bodies.trulyKnown[person.index][k]) {
      parts.push(`${distance(this.bodies, person.index, k).toFixed(0)} mm off`);
    }
    const spread = person.spread ? readValue(person.spread, row * person.spread.row + k) : NaN;
    if (Number.isFinite(spread)) parts.push(`± ${(1000 * spread).toFixed(0)} mm`);
    this.tip.textContent = parts.join(" · ");
    const points = this.bodies.poses[person.index];
    this.place.set(points[3 * k], points[3 * k + 1], points[3 * k + 2]);
    this.move(this.tip, "translate(14px, 10px)");
  }

  nearest() {
    let best = NEAR;
    let found = null;
    for (const person of this.people) {
      const points = this.bodies.poses[person.index];
      const known = this.bodies.known[person.index];
      for (let k = 0; k < known.length; k += 1) {
        if (!known[k]) continue;
        this.place.set(points[3 * k], points[3 * k + 1], points[3 * k + 2]).project(this.camera);
        const off = Math.hypot(this.x() - this.pointer.x, this.y() - this.pointer.y);
        if (off < best) {
          best = off;
          found = { person, k };
        }
      }
    }
    return found;
  }

  move(label, anchor) {
    this.place.project(this.camera);
    label.style.visibility = Math.abs(this.place.z) < 1 ? "visible" : "hidden";
    label.style.transform = `translate(${this.x().toFixed(1)}px, ${this.y().toFixed(1)}px) ${anchor}`;
  }

  x() {
    return ((this.place.x + 1) / 2) * this.width;
  }

  y() {
    return ((1 - this.place.y) / 2) * this.height;
  }
}

function distance(bodies, person, k) {
  const a = bodies.poses[person];
  const b = bodies.truePoses[person];
  return 1000 * Math.hypot(a[3 * k] - b[3 * k], a[3 * k + 1] - b[3 * k + 1], a[3 * k + 2] - b[3 * k + 2]);
}
