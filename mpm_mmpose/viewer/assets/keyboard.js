// Keys, and the table of them that the help shows.

export function keyTable(state, stage, act) {
  return [
    { keys: [" "], label: "Space", does: "play or pause", run: () => state.set({ playing: !state.playing }) },
    { keys: ["ArrowLeft"], label: "← →", does: "one frame back or on; ten with Shift", run: (e) => state.stepTo(state.frame - (e.shiftKey ? 10 : 1)) },
    { keys: ["ArrowRight"], run: (e) => state.stepTo(state.frame + (e.shiftKey ? 10 : 1)) },
    { keys: ["Home"], label: "Home End", does: "first or last frame", run: () => state.stepTo(0) },
    { keys: ["End"], run: () => state.stepTo(state.frames - 1) },
    { keys: ["-", "_"], label: "− +", does: "slower or faster", run: () => state.changeSpeed(-1) },
    { keys: ["+", "="], run: () => state.changeSpeed(1) },
    { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], label: "1 … 9", does: "hide or show a person", run: (e) => state.togglePerson(Number(e.key) - 1) },
    { keys: ["v"], label: "V", does: "side by side, one place, trajectory", run: () => state.nextPlace() },
    { keys: ["e"], label: "E", does: "ground truth", run: () => state.set({ ground_truth: !state.ground_truth }) },
    { keys: ["u"], label: "U", does: "uncertainty", run: () => state.set({ spread: !state.spread }) },
    { keys: ["l"], label: "L", does: "names", run: () => state.set({ labels: !state.labels }) },
    { keys: ["ArrowUp"], label: "↑ ↓", does: "nearer or further", run: () => stage?.zoom(0.9) },
    { keys: ["ArrowDown"], run: () => stage?.zoom(1 / 0.9) },
    { keys: ["r"], label: "R", does: "look at everybody again", run: () => stage?.reset() },
    { keys: ["t"], label: "T", does: "light or dark", run: act.toggleTheme },
    { keys: ["?", "h"], label: "?", does: "this help", run: act.help },
  ];
}

export function listenToKeys(table) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    // A button that has the focus is pressed with space, and a list is opened and gone through with keys.
    const { target } = event;
    if (target.closest?.("select") || (event.key === " " && target.closest?.("button"))) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const entry = table.find(({ keys }) => keys.includes(key));
    if (!entry) return;
    event.preventDefault();
    entry.run(event);
  });
}

export function describeKeys(table, list) {
  for (const { label, does } of table) {
    if (!label) continue;
    list.appendChild(document.createElement("dt")).textContent = label;
    list.appendChild(document.createElement("dd")).textContent = does;
  }
}
