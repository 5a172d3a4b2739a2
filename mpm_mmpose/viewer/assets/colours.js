// Colours of people and of the page; those of people are Okabe and Ito's, distinguished by colour-blind readers too.

const PEOPLE = {
  light: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8b6f00"],
  dark: ["#3b9fe0", "#f5833c", "#1fbd8f", "#e092c0", "#f2b233", "#8fd0f7", "#c9ab3a"],
};
const ACROSS = PEOPLE.light.length;

/** A colour number for each person: that of a numeric name as in our videos, or the next that is free. */
export function numberColours(names) {
  const taken = new Set();
  return names.map((name) => {
    const wanted = /^\d{1,9}$/.test(name) ? Number(name) % ACROSS : 0;
    let number = wanted;
    while (taken.has(number) && taken.size < ACROSS) number = (number + 1) % ACROSS;
    if (taken.size === ACROSS) taken.clear();
    taken.add(number);
    return number;
  });
}

export function personColour(number, theme) {
  return PEOPLE[theme][number];
}

/** The person's right side is darker, as in our videos. */
export const RIGHT_SHADE = 0.6;

const found = new Map();

/** A colour of page.css by name: stage, panel, ink, faint, line, grid, axis, shadow, ground-truth. */
export function pageColour(name) {
  const { theme } = document.documentElement.dataset;
  const key = `${theme} ${name}`;
  if (!found.has(key)) found.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return found.get(key);
}
