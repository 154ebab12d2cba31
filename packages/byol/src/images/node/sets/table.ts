/** Every data set that is known by its published layout. */
import { aircraft } from "./aircraft.js";
import { birdsnap } from "./birdsnap.js";
import { caltech101 } from "./caltech101.js";
import { cars } from "./cars.js";
import { cifar10, cifar100 } from "./cifar.js";
import { dtd } from "./dtd.js";
import { flowers102 } from "./flowers102.js";
import { food101 } from "./food101.js";
import { imagenet } from "./imagenet.js";
import type { DataSetKind } from "./kind.js";
import { mnist } from "./mnist.js";
import { pets } from "./pets.js";
import { places365 } from "./places365.js";
import { stl10 } from "./stl10.js";
import { sun397 } from "./sun397.js";
import { voc2007 } from "./voc2007.js";

export const kinds: readonly DataSetKind[] = [
  ...[cifar10, cifar100, stl10, mnist, imagenet, places365],
  ...[food101, birdsnap, sun397, cars, aircraft, voc2007, dtd, pets, caltech101, flowers102],
];
