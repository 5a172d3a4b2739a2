// A grid on the floor that fades out, half a metre wide, and the ways that people went.

import { BufferAttribute, BufferGeometry, Color, Group, Line, LineBasicMaterial, LineSegments } from "three";
import { pageColour, personColour } from "page/colours";

const STEP = 0.5;

export class Ground extends Group {
  constructor(scene, state, places, numbers) {
    super();
    Object.assign(this, { people: scene.people, state, places, numbers });
    this.grid = new LineSegments(new BufferGeometry(), new LineBasicMaterial({ vertexColors: true, transparent: true }));
    this.ways = scene.people.map((person) => new Line(way(person, places), new LineBasicMaterial({ linewidth: 2 })));
    this.add(this.grid, ...this.ways);
  }

  /** half: m from the middle to where the grid has faded. */
  lay(half) {
    const number = Math.ceil(half / STEP);
    const plain = new Color(pageColour("grid"));
    const axis = new Color(pageColour("axis"));
    const points = [];
    const colours = [];
    const point = (x, z, colour) => {
      const fade = Math.max(0, 1 - Math.hypot(x, z) / (number * STEP));
      points.push(x, 0, z);
      colours.push(colour.r, colour.g, colour.b, Math.min(1, 2 * fade));
    };
    for (let line = -number; line <= number; line += 1) {
      const colour = line % 2 === 0 ? axis : plain;
      for (let part = -number; part < number; part += 1) {
        point(line * STEP, part * STEP, colour);
        point(line * STEP, (part + 1) * STEP, colour);
        point(part * STEP, line * STEP, colour);
        point((part + 1) * STEP, line * STEP, colour);
      }
    }
    this.grid.geometry.dispose();
    this.grid.geometry = new BufferGeometry();
    this.grid.geometry.setAttribute("position", new BufferAttribute(new Float32Array(points), 3));
    this.grid.geometry.setAttribute("color", new BufferAttribute(new Float32Array(colours), 4));
  }

  update() {
    this.ways.forEach((line, index) => {
      line.visible = this.state.place === "path" && this.state.shown[index];
      line.material.color.set(personColour(this.numbers[index], this.state.theme));
    });
  }
}

function way(person, places) {
  const points = [];
  const pelvis = new Float32Array(3);
  const rows = person.trajectory ? person.trajectory.length / 3 : 0;
  for (let row = 0; row < rows; row += 1) {
    if (places.of(person, "path", row, pelvis)) points.push(pelvis[0], 0.004, pelvis[2]);
  }
  return new BufferGeometry().setAttribute("position", new BufferAttribute(new Float32Array(points), 3));
}
