/** Bytes that kernels let their data take, so that it stays in a level of the caches (48 KiB or 32, and 512 KiB a core or more). */

/** Image copies that a unit slides windows over, beside its weights: of the second level. */
export const COPY_BYTES = 96 * 1024;
/** Image copies that are read once for every few tiles of weights: of the first level. */
export const NEAR_COPY_BYTES = 20 * 1024;
/** Packed columns of a matrix, and transformed tiles: half of the second level. */
export const PANEL_BYTES = 256 * 1024;
/** Weights that fill the second level. Beyond, every unit fetches them anew. */
export const WEIGHT_BYTES = 512 * 1024;
/** What may stay in every thread's scratch memory for the units that follow: of the last level. */
export const STAY_BYTES = 8 * 2 ** 20;
