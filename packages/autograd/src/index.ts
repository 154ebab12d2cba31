// The public surface of @dawnstrap/autograd.
export {};
