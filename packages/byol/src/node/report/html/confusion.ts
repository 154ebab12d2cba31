/** Which classes are taken for which. */
import { escaped } from "../escape.js";

/** Classes whose table can be read; of more the most frequent confusions are listed. */
const most = { classes: 30, confusions: 20 } as const;

/** @param counts row-major [classes, classes]: row = label, column = prediction */
export function confusionTable(counts: readonly number[], classes: readonly string[]): string {
  return classes.length > most.classes ? frequentConfusions(counts, classes) : heatTable(counts, classes);
}

/** A table whose numbers are shaded by their share of the row; the shades tell nothing that the numbers do not. */
function heatTable(counts: readonly number[], classes: readonly string[]): string {
  const heads = classes.map((name) => `<th scope="col">${escaped(name)}</th>`).join("");
  const rows = classes.map((name, c) => {
    const row = counts.slice(c * classes.length, (c + 1) * classes.length);
    const all = row.reduce((a, b) => a + b, 0);
    const cells = row.map((n) => `<td style="--share:${all > 0 ? (n / all).toFixed(3) : 0}">${n}</td>`);
    return `<tr><th scope="row">${escaped(name)}</th>${cells.join("")}</tr>`;
  });
  return `<div class="wide"><table class="heat"><caption>Test images: a row for each class, a column for each prediction</caption>
<thead><tr><td></td>${heads}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

function frequentConfusions(counts: readonly number[], classes: readonly string[]): string {
  const wrong = counts
    .map((count, at) => ({ count, label: Math.floor(at / classes.length), taken: at % classes.length }))
    .filter(({ count, label, taken }) => count > 0 && label !== taken)
    .sort((a, b) => b.count - a.count)
    .slice(0, most.confusions);
  const rows = wrong.map(
    ({ count, label, taken }) =>
      `<tr><td>${escaped(classes[label]!)}</td><td>${escaped(classes[taken]!)}</td><td>${count}</td></tr>`,
  );
  return `<div class="wide"><table><caption>The most frequent confusions among ${classes.length} classes</caption>
<thead><tr><th scope="col">class</th><th scope="col">taken for</th><th scope="col">test images</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}
