// The public surface of @dawnstrap/byol.
export {};
