/** What images show that may show several classes (`ImageSet.presence`), picked and prepared for learning. */

/** Rows of the images at the given places, row-major [places, classes]. */
export function presenceOf(presence: Int8Array, places: Int32Array, classes: number): Int8Array {
  const rows = new Int8Array(places.length * classes);
  places.forEach((place, i) =>
    rows.set(presence.subarray(place * classes, (place + 1) * classes), i * classes),
  );
  return rows;
}

/** 1 where a class is shown and can be judged, else 0. */
export const membershipsOf = (presence: Int8Array): Float32Array =>
  Float32Array.from(presence, (v) => (v > 0 ? 1 : 0));
