// Where people stand: y up, the floor at 0, m. Poses are relative to the pelvis, so each place is that of a pelvis.

import { readPoint } from "page/data";

const APART = 0.35;
const IN_A_ROW = 6;
const ROW_DEPTH = 1.8;
const SAMPLES = 300;

export class Places {
  constructor(people) {
    this.people = people;
    this.side = sideBySide(people);
    this.floor = Math.max(...people.map((person) => person.trajectoryFloor ?? -Infinity));
    this.middle = middleOfPaths(people);
  }

  /** The pelvis of a person in a row into out[0..2]; false where it is not known. */
  of(person, place, row, out) {
    if (place !== "path") {
      out[0] = place === "side" ? this.side[person.index].x : 0;
      out[1] = person.floor;
      out[2] = place === "side" ? this.side[person.index].z : 0;
      return true;
    }
    if (!person.trajectory) return false;
    const path = person.trajectory;
    out[0] = path[3 * row] - this.middle.x;
    out[1] = this.floor - path[3 * row + 1];
    out[2] = this.middle.z - path[3 * row + 2];
    return Number.isFinite(out[0] + out[1] + out[2]);
  }

  /** Keypoints [x, y, z, x, ...] of the people that are shown, in frames spread over the scene. */
  sample(shown, place) {
    const points = [];
    const pelvis = new Float32Array(3);
    const point = new Float32Array(3);
    for (const person of this.people) {
      if (!shown[person.index]) continue;
      const rows = person.poses.values.length / person.poses.row;
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        const row = Math.floor((sample * rows) / SAMPLES);
        if (rows === 0 || !this.of(person, place, row, pelvis)) continue;
        for (let k = 0; k < person.skeleton.parents.length; k += 1) {
          if (!readPoint(person.poses, row, k, point, 0)) continue;
          points.push(pelvis[0] + point[0], pelvis[1] + point[1], pelvis[2] + point[2]);
        }
      }
    }
    return points;
  }
}

function sideBySide(people) {
  const places = [];
  const rows = Math.ceil(people.length / IN_A_ROW);
  for (let first = 0; first < people.length; first += IN_A_ROW) {
    const z = (-first / IN_A_ROW + (rows - 1) / 2) * ROW_DEPTH;
    const row = people.slice(first, first + IN_A_ROW);
    const reaches = row.map((person) => Math.min(1.2, Math.max(0.4, person.reach)));
    const width = 2 * reaches.reduce((sum, reach) => sum + reach, 0) + APART * (row.length - 1);
    let x = -width / 2;
    for (const reach of reaches) {
      places.push({ x: x + reach, z });
      x += 2 * reach + APART;
    }
  }
  return places;
}

function middleOfPaths(people) {
  const low = { x: Infinity, z: Infinity };
  const high = { x: -Infinity, z: -Infinity };
  for (const { trajectory } of people) {
    for (let i = 0; trajectory && i < trajectory.length; i += 3) {
      if (!Number.isFinite(trajectory[i] + trajectory[i + 2])) continue;
      low.x = Math.min(low.x, trajectory[i]);
      high.x = Math.max(high.x, trajectory[i]);
      low.z = Math.min(low.z, trajectory[i + 2]);
      high.z = Math.max(high.z, trajectory[i + 2]);
    }
  }
  return { x: (low.x + high.x) / 2, z: (low.z + high.z) / 2 };
}
