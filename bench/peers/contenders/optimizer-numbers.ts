/** Numbers of the optimisers; pytorch.py repeats them. */

/** The learning rate is far above what trains, so that a step moves the weights by more than rounding does. */
export const larsNumbers = { momentum: 0.9, weightDecay: 1.5e-6, eta: 1e-3, lr: 20, tau: 0.99 } as const;
export const sgdMomentum = 0.9;

/** Parameters whose values are compared after LARS + EMA: a first and a late one, decayed and excluded. */
export const looked = ["conv1.weight", "bn1.bias", "layer4.2.conv2.weight", "fc.weight"] as const;
