// The map: people, labels, what is shown, chosen and pointed at, and the controls. Names are set as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const MOST_IN_LEGEND = 300;
const MOST_ZOOM_PANELS = 30;

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
const floats = (text) => new Float32Array(bytesOf(text));
const levels = data.levels.map((level) => ({ ...level, codes: new Uint32Array(bytesOf(level.codes)) }));
const sources = data.panels.map((panel) => ({
  ...panel, x: floats(panel.x), y: floats(panel.y),
  ellipse: panel.ellipse && { xx: floats(panel.ellipse[0]), xy: floats(panel.ellipse[1]), yy: floats(panel.ellipse[2]) },
}));

const each = data.rowsPerPerson;
const map = {
  n: data.samples.length * each,
  order: mixedOrder(data.samples.length * each),
  shown: new Uint8Array(data.samples.length * each).fill(1),
  chosen: null,
  hovered: null,
  mode: "pan",
  allEllipses: false,
  radius: data.samples.length * each > 20000 ? 2 : data.samples.length * each > 4000 ? 2.7 : 3.8,
  personOf: each === 2 ? (row) => row >> 1 : (row) => row,
  rowsOf: (person) => Array.from({ length: each }, (_, i) => person * each + i),
  level: () => level,
  styleOf: (row) => level.styles[level.codes[map.personOf(row)]],
  theme: () => theme,
  hover: setHovered,
  choose: setChosen,
};

let level = levels[data.level];
let hidden = new Set();
let theme = {};
let plots = [];
const rowName = (row) => (each === 2 ? `${data.samples[map.personOf(row)]}, haplotype ${(row % 2) + 1}` : data.samples[row]);

function drawAll() {
  for (const plot of plots) plot.draw();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  element("theme").textContent = name === "dark" ? "Light" : "Dark";
  const style = getComputedStyle(document.documentElement);
  theme = Object.fromEntries(["ink", "soft", "rule", "accent"].map((part) => [part, style.getPropertyValue(`--${part}`).trim()]));
  drawAll();
}

function setHovered(row, plot, event) {
  if (map.hovered !== row) {
    map.hovered = row;
    for (const other of plots) other.drawAbove();
  }
  const box = element("hover");
  box.hidden = row === null;
  if (row === null) return;
  const person = map.personOf(row);
  const lines = levels.map(({ name, labels, codes }) => `${name}: ${labels[codes[person]]}`);
  const { source } = plot;
  const place = (values, variance) =>
    values[row].toPrecision(4) + (variance ? ` ± ${Math.sqrt(variance[row]).toPrecision(2)}` : "");
  lines.push(`${source.xName}: ${place(source.x, source.ellipse && source.ellipse.xx)}`);
  lines.push(`${source.yName}: ${place(source.y, source.ellipse && source.ellipse.yy)}`);
  const name = document.createElement("b");
  name.textContent = rowName(row);
  box.replaceChildren(name, ...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
  const { offsetWidth, offsetHeight } = box;
  box.style.left = `${Math.max(0, Math.min(event.clientX + 14, innerWidth - offsetWidth - 8))}px`;
  box.style.top = `${Math.max(0, Math.min(event.clientY + 14, innerHeight - offsetHeight - 8))}px`;
}

// rows: those chosen, or null for none; told: what to say where there are none.
function setChosen(rows, told = "Nobody chosen") {
  map.chosen = null;
  const names = new Set();
  if (rows && rows.length) {
    map.chosen = new Uint8Array(map.n);
    for (const row of rows) {
      map.chosen[row] = 1;
      names.add(data.samples[map.personOf(row)]);
    }
  }
  const people = names.size === 1 ? "1 sample" : `${names.size.toLocaleString("en")} samples`;
  element("count").textContent = !names.size ? told : each === 1 ? people : `${people}, ${rows.length.toLocaleString("en")} of their haplotypes`;
  element("chosen").value = [...names].join("\n");
  drawAll();
}

// Everybody whose name, or a label of whom, holds the text; a name or label that is the text goes before those.
function search(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return setChosen(null);
  for (const fits of [(name) => name === wanted, (name) => name.includes(wanted)]) {
    const ofLevel = levels.map(({ labels }) => labels.map((label) => fits(label.toLowerCase())));
    const rows = [];
    data.samples.forEach((sample, person) => {
      if (fits(sample.toLowerCase()) || levels.some(({ codes }, i) => ofLevel[i][codes[person]])) rows.push(...map.rowsOf(person));
    });
    if (rows.length) return setChosen(rows);
  }
  setChosen(null, "Nobody has such a name or label");
}

function setLevel(place) {
  level = levels[place];
  hidden = new Set();
  element("legend-title").textContent = level.name;
  const counts = new Uint32Array(level.labels.length);
  for (const code of level.codes) counts[code] += each;
  const items = level.labels.slice(0, MOST_IN_LEGEND).map((label, code) => {
    const item = document.createElement("li");
    const button = item.appendChild(Object.assign(document.createElement("button"), { type: "button" }));
    button.appendChild(swatch(level.styles[code]));
    button.appendChild(document.createElement("span")).textContent = label;
    const count = button.appendChild(document.createElement("span"));
    count.className = "count";
    count.textContent = counts[code].toLocaleString("en");
    button.addEventListener("click", () => {
      if (!hidden.delete(code)) hidden.add(code);
      showLabels();
    });
    button.addEventListener("dblclick", () => {
      hidden = new Set(level.labels.keys());
      hidden.delete(code);
      showLabels();
    });
    return item;
  });
  if (level.labels.length > MOST_IN_LEGEND) {
    const more = (level.labels.length - MOST_IN_LEGEND).toLocaleString("en");
    items.push(Object.assign(document.createElement("li"), { textContent: `and ${more} more: find them by name` }));
  }
  element("legend").replaceChildren(...items);
  showLabels();
}

function swatch({ colour, marker }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.4 -1.4 2.8 2.8");
  svg.setAttribute("aria-hidden", "true");
  const path = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  path.setAttribute("d", SHAPES[marker]);
  path.setAttribute("fill", colour);
  return svg;
}

function showLabels() {
  [...element("legend").querySelectorAll("button")].forEach((button, code) => button.setAttribute("aria-pressed", String(!hidden.has(code))));
  for (let row = 0; row < map.n; row++) map.shown[row] = hidden.has(level.codes[map.personOf(row)]) ? 0 : 1;
  drawAll();
}

// A plot of each model, and below, for every label of a level, one of each model again that shows only that label.
function makePlots(zoomBy) {
  for (const plot of plots) sizes.unobserve(plot.box);
  const whole = sources.map((source) => new Plot(map, source, source.title, () => true));
  const zoomed = [];
  if (zoomBy) {
    zoomBy.labels.slice(0, MOST_ZOOM_PANELS).forEach((label, code) => {
      for (const source of sources) zoomed.push(new Plot(map, source, `${label} · ${source.title}`, (person) => zoomBy.codes[person] === code));
    });
  }
  plots = [...whole, ...zoomed];
  element("panels").replaceChildren(...whole.map((plot) => plot.figure));
  element("zooms").dataset.models = sources.length;
  element("zooms").replaceChildren(...zoomed.map((plot) => plot.figure));
  for (const plot of plots) {
    plot.fit();
    sizes.observe(plot.box);
  }
  setMode(map.mode);
}

function setMode(mode) {
  map.mode = mode;
  for (const id of ["pan", "lasso"]) element(id).setAttribute("aria-pressed", String(id === mode));
  for (const plot of plots) plot.box.dataset.mode = mode;
}

function chosenTable() {
  const clean = (text) => String(text).replace(/[\t\r\n]/g, " ");
  const columns = sources.flatMap(({ title, xName, yName }) => [`${title}: ${xName}`, `${title}: ${yName}`]);
  const lines = [["sample", "haplotype", ...levels.map(({ name }) => name), ...columns]];
  for (let row = 0; map.chosen && row < map.n; row++) {
    if (!map.chosen[row]) continue;
    const person = map.personOf(row);
    lines.push([
      data.samples[person], each === 2 ? (row % 2) + 1 : ".", ...levels.map(({ labels, codes }) => labels[codes[person]]),
      ...sources.flatMap(({ x, y }) => [x[row].toPrecision(6), y[row].toPrecision(6)]),
    ]);
  }
  return lines.map((cells) => cells.map(clean).join("\t") + "\n").join("");
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) plots.find((plot) => plot.box === target)?.resize();
});

function start() {
  levels.forEach(({ name, labels }, place) => {
    element("level").add(new Option(name, place, false, place === data.level));
    if (labels.length <= MOST_ZOOM_PANELS) element("zoom").add(new Option(`each ${name}`, place));
  });
  element("ellipses-label").hidden = !sources.some(({ ellipse }) => ellipse);
  element("level").addEventListener("change", (event) => setLevel(event.target.value));
  element("zoom").addEventListener("change", (event) => makePlots(levels[event.target.value]));
  element("pan").addEventListener("click", () => setMode("pan"));
  element("lasso").addEventListener("click", () => setMode("lasso"));
  element("ellipses").addEventListener("change", (event) => { map.allEllipses = event.target.checked; drawAll(); });
  element("reset").addEventListener("click", () => { for (const plot of plots) { plot.fit(); plot.draw(); } });
  element("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  element("all").addEventListener("click", () => { hidden = new Set(); showLabels(); });
  element("none").addEventListener("click", () => { hidden = new Set(level.labels.keys()); showLabels(); });
  let typing;
  element("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => search(event.target.value), 120);
  });
  element("copy").addEventListener("click", () => { element("chosen").select(); document.execCommand("copy"); });
  element("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([chosenTable()], { type: "text/tab-separated-values" }));
    link.download = "chosen.tsv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  const clear = () => { element("search").value = ""; setChosen(null); };
  element("clear").addEventListener("click", clear);
  addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  makePlots();
  setLevel(data.level);
  setTheme(dark.matches ? "dark" : "light");
}

start();
