/** The numbers of the LARS + EMA case; pytorch.py repeats them. */
export const larsNumbers = { momentum: 0.9, weightDecay: 1.5e-6, eta: 1e-3, lr: 0.2, tau: 0.99 } as const;

/** Parameters whose values are compared after a step: a first and a late one, decayed and excluded. */
export const looked = ["conv1.weight", "bn1.bias", "layer4.2.conv2.weight", "fc.weight"] as const;
