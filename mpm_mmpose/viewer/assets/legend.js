// One button a person: colour, name, error now and on average; a press hides and shows them.

import { personColour } from "page/colours";

export class Legend {
  constructor(list, scene, state, numbers) {
    Object.assign(this, { people: scene.people, state, numbers });
    this.rows = scene.people.map((person) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = person.index < 9 ? `Hide or show (${person.index + 1})` : "Hide or show";
      const parts = Object.fromEntries(
        ["swatch", "name", "now", "mean"].map((name) => {
          const part = document.createElement("span");
          part.className = name;
          return [name, button.appendChild(part)];
        }),
      );
      parts.name.textContent = person.name;
      parts.mean.textContent = person.meanError == null ? "" : `⌀ ${person.meanError.toFixed(1)}`;
      button.addEventListener("click", () => state.togglePerson(person.index));
      list.appendChild(document.createElement("li")).append(button);
      return { button, ...parts };
    });
    this.paint();
  }

  paint() {
    this.rows.forEach(({ swatch }, index) => {
      const colour = personColour(this.numbers[index], this.state.theme);
      swatch.style.backgroundColor = colour;
      swatch.style.borderColor = colour;
    });
  }

  update() {
    this.people.forEach((person, index) => {
      const { button, now } = this.rows[index];
      const row = person.rowAt[this.state.frame];
      button.setAttribute("aria-pressed", this.state.shown[index]);
      const text = row < 0 ? "not there" : errorText(person, row);
      if (now.textContent !== text) now.textContent = text;
    });
  }
}

function errorText(person, row) {
  const error = person.errors ? person.errors[row] : NaN;
  return Number.isFinite(error) ? `${error.toFixed(1)}` : "";
}
