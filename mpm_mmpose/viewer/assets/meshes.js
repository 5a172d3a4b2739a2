// Many balls or rods in one draw call; places are written into one array a kind, and nothing is allocated a frame.

import {
  BufferAttribute,
  BufferGeometry,
  CylinderGeometry,
  InstancedBufferAttribute,
  InstancedMesh,
  LineBasicMaterial,
  LineSegments,
  SphereGeometry,
} from "three";

class Instances extends InstancedMesh {
  constructor(geometry, material, count) {
    super(geometry, material, Math.max(1, count));
    this.frustumCulled = false;
    this.instanceMatrix.array.fill(0);
    this.instanceColor = new InstancedBufferAttribute(new Float32Array(3 * Math.max(1, count)), 3);
  }

  hide(index) {
    this.instanceMatrix.array.fill(0, 16 * index, 16 * index + 16);
  }

  paint(index, colour) {
    this.instanceColor.array.set(colour, 3 * index);
  }

  changed() {
    this.instanceMatrix.needsUpdate = true;
    this.instanceColor.needsUpdate = true;
  }
}

export class Balls extends Instances {
  constructor(count, material, round = 12) {
    super(new SphereGeometry(1, round, Math.ceil((2 * round) / 3)), material, count);
  }

  /** Ball `index` at points[at..at+2]. */
  put(index, points, at, radius) {
    const m = this.instanceMatrix.array;
    const i = 16 * index;
    m[i] = m[i + 5] = m[i + 10] = radius;
    m[i + 12] = points[at];
    m[i + 13] = points[at + 1];
    m[i + 14] = points[at + 2];
    m[i + 15] = 1;
  }
}

export class Rods extends Instances {
  constructor(count, material, round = 8) {
    super(new CylinderGeometry(1, 1, 1, round, 1, true), material, count);
  }

  /** Rod `index` from points[a..a+2] to points[b..b+2]. */
  put(index, points, a, b, radius) {
    const m = this.instanceMatrix.array;
    const i = 16 * index;
    const dx = points[b] - points[a];
    const dy = points[b + 1] - points[a + 1];
    const dz = points[b + 2] - points[a + 2];
    const length = Math.hypot(dx, dy, dz);
    if (length < 1e-6) {
      this.hide(index);
      return;
    }
    // Any direction across the rod: of two axes the one that is less along it, times the rod.
    const steep = Math.abs(dy) > 0.9 * length;
    let x = steep ? 0 : dz;
    let y = steep ? -dz : 0;
    let z = steep ? dy : -dx;
    const scale = radius / Math.hypot(x, y, z);
    x *= scale;
    y *= scale;
    z *= scale;
    m[i] = x;
    m[i + 1] = y;
    m[i + 2] = z;
    m[i + 4] = dx;
    m[i + 5] = dy;
    m[i + 6] = dz;
    m[i + 8] = (y * dz - z * dy) / length;
    m[i + 9] = (z * dx - x * dz) / length;
    m[i + 10] = (x * dy - y * dx) / length;
    m[i + 12] = points[a] + dx / 2;
    m[i + 13] = points[a + 1] + dy / 2;
    m[i + 14] = points[a + 2] + dz / 2;
    m[i + 15] = 1;
  }
}

/** Separate straight lines in one draw call. */
export class Strokes extends LineSegments {
  constructor(count) {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(6 * Math.max(1, count)), 3));
    super(geometry, new LineBasicMaterial({ transparent: true, opacity: 0.75 }));
    this.frustumCulled = false;
    this.number = 0;
  }

  clear() {
    this.number = 0;
  }

  add(from, a, to, b) {
    const { array } = this.geometry.attributes.position;
    const i = 6 * this.number;
    for (let c = 0; c < 3; c += 1) {
      array[i + c] = from[a + c];
      array[i + 3 + c] = to[b + c];
    }
    this.number += 1;
  }

  changed() {
    this.geometry.setDrawRange(0, 2 * this.number);
    this.geometry.attributes.position.needsUpdate = true;
  }
}
