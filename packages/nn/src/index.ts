// The public surface of @dawnstrap/nn.
export {};
