export const Dropout = 0; // TODO
