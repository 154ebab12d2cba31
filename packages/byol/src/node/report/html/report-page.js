// Runs in the report: draws the plots and the maps from the data that stand in the page.
const data = JSON.parse(document.getElementById("data").textContent);

function make(parent, tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent.append(made);
  return made;
}

function plot({ title, curves }, parent) {
  const table = uPlot.join(curves.map(({ x, y }) => [x, y]));
  const options = {
    title,
    ...{ width: Math.floor(parent.clientWidth), height: 230 },
    scales: { x: { time: false } },
    axes: [{}, { size: 64, values: (_, ticks) => ticks.map((v) => String(Number(v.toPrecision(6)))) }],
    series: [
      { label: "step" },
      ...curves.map(({ run, x }) => ({
        label: data.runs[run],
        stroke: data.colours[run],
        width: 1.5,
        spanGaps: true,
        points: { show: x.length <= 30 },
      })),
    ],
    cursor: { sync: { key: "step" } },
  };
  new uPlot(options, table, parent);
}

/** Far apart for neighbouring numbers. */
const classColour = (label) =>
  label < 0 ? "#888" : `hsl(${(label * 137.5) % 360} 70% ${label % 2 ? 38 : 52}%)`;
const className = ({ classes }, label) => (label < 0 ? "no label" : (classes[label] ?? `class ${label}`));

/** An image of a map with its class as colour and title. */
function tile(map, i, parent, note = "") {
  const shown = make(parent, "div", "tile");
  const size = 44;
  shown.style.backgroundImage = `url(${data.sprites[map.sprite]})`;
  shown.style.backgroundSize = `${map.columns * size}px auto`;
  shown.style.backgroundPosition = `${-(i % map.columns) * size}px ${-Math.floor(i / map.columns) * size}px`;
  shown.style.borderColor = classColour(map.labels[i]);
  shown.title = `${className(map, map.labels[i])}${note}`;
}

function neighbours(map, i, row) {
  row.replaceChildren();
  tile(map, i, row);
  for (const [other, similarity] of map.near[i]) tile(map, other, row, `, cosine ${similarity}`);
}

/** Canvas coordinates of an image's middle. */
const middle = (map, i) => [24 + map.x[i] * 592, 24 + map.y[i] * 472];

function draw(map, canvas, sprite) {
  const scale = Math.min(3, globalThis.devicePixelRatio || 1) * 1.5;
  [canvas.width, canvas.height] = [640 * scale, 520 * scale];
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const { side, columns } = map;
  for (const [i, label] of map.labels.entries()) {
    const [x, y] = middle(map, i);
    context.fillStyle = classColour(label);
    context.fillRect(x - 11, y - 11, 22, 22);
    const [left, top] = [(i % columns) * side, Math.floor(i / columns) * side];
    context.drawImage(sprite, left, top, side, side, x - 9, y - 9, 18, 18);
  }
}

async function show(map, parent) {
  const box = make(parent, "section", "map");
  make(box, "h3", "", data.runs[map.run]);
  const left = make(box, "div", "");
  const canvas = make(left, "canvas", "");
  const legend = make(left, "div", "legend");
  const used = [...new Set(map.labels)].sort((a, b) => a - b);
  if (used.length <= 40)
    for (const label of used) {
      const entry = make(legend, "span", "");
      make(entry, "i", "swatch").style.background = classColour(label);
      entry.append(className(map, label));
    }
  const right = make(box, "div", "near");
  make(right, "p", "", "An image, and the eight most like it:");
  const chosen = make(right, "div", "row chosen");
  const samples = Math.min(8, map.labels.length);
  neighbours(map, 0, chosen);
  for (let k = 0; k < samples; k++)
    neighbours(map, Math.floor(((k + 0.5) * map.labels.length) / samples), make(right, "div", "row"));

  const sprite = new Image();
  sprite.src = data.sprites[map.sprite];
  await sprite.decode();
  draw(map, canvas, sprite);
  const under = (event) => {
    const { width, height } = canvas.getBoundingClientRect();
    const [px, py] = [(event.offsetX * 640) / width, (event.offsetY * 520) / height];
    const away = map.labels.map((_, i) => {
      const [x, y] = middle(map, i);
      return (x - px) ** 2 + (y - py) ** 2;
    });
    return away.indexOf(Math.min(...away));
  };
  canvas.addEventListener("click", (event) => neighbours(map, under(event), chosen));
  canvas.addEventListener("mousemove", (event) => {
    canvas.title = className(map, map.labels[under(event)]);
  });
}

const plots = document.getElementById("plots");
for (const one of data.plots) plot(one, make(plots, "div", "plot"));
const maps = document.getElementById("maps");
Promise.all(data.maps.map((map) => show(map, maps))).then(() => document.body.classList.add("drawn"));
