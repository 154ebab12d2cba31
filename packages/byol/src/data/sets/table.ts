/** Every data set that is known by its published layout. */
import { cifar10, cifar100 } from "./cifar.js";
import { imagenet } from "./imagenet.js";
import type { DataSetKind } from "./kind.js";
import { mnist } from "./mnist.js";
import { stl10 } from "./stl10.js";

export const kinds: readonly DataSetKind[] = [cifar10, cifar100, stl10, mnist, imagenet];
