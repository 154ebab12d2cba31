/** Learning-rate and target-momentum schedules: pure functions of the step, in float64. */
import { DawnstrapError } from "@dawnstrap/tensor";

export interface WarmupCosine {
  /** The learning rate at the end of the warm-up. */
  readonly peak: number;
  /** Steps of linear warm-up, W. */
  readonly warmupSteps: number;
  /** Steps in all, T; later steps keep the last value. */
  readonly totalSteps: number;
}

const half = (x: number): number => 0.5 * (1 + Math.cos(Math.PI * x));

/**
 * Linear warm-up, then a cosine to zero (BYOL, §3.3; schedules.py of its code).
 *
 *     lr(t) = peak·t/W                                      t < W
 *     lr(t) = peak·½(1 + cos(π·min(t − W, T − W)/(T − W)))  t ≥ W
 *
 * @param step t, counted from 0; step 0 of a warm-up has learning rate 0
 */
export function warmupCosine({ peak, warmupSteps, totalSteps }: WarmupCosine, step: number): number {
  checkSteps("warmupCosine", totalSteps, step);
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps))
    throw new DawnstrapError(
      `warmupCosine: ${warmupSteps} warm-up steps do not fit into ${totalSteps} (shorten the warm-up)`,
    );
  if (step < warmupSteps) return (peak * step) / warmupSteps;
  const rest = totalSteps - warmupSteps;
  // All warm-up and no rest: from T on the rate is what the cosine ends at.
  return rest === 0 ? 0 : peak * half(Math.min(step - warmupSteps, rest) / rest);
}

export interface TargetMomentum {
  /** τ at step 0. */
  readonly base: number;
  /** T: from here on τ is 1. */
  readonly totalSteps: number;
}

/**
 * The target's momentum: τ(t) = 1 − (1 − τ_base)·½(1 + cos(π·min(t, T)/T)) (BYOL, §3.3; schedules.py of its code).
 *
 * Near the end 1 − τ is far below float32's resolution around 1; `targetRate` keeps it.
 */
export function targetMomentum(options: TargetMomentum, step: number): number {
  return 1 - targetRate(options, step);
}

/** 1 − τ(t) without cancellation: how far the target moves towards the online weights. */
export function targetRate({ base, totalSteps }: TargetMomentum, step: number): number {
  checkSteps("targetMomentum", totalSteps, step);
  if (!(base >= 0 && base <= 1))
    throw new DawnstrapError(`targetMomentum: a base of ${base} is not a momentum (use 0 to 1)`);
  return (1 - base) * half(Math.min(step, totalSteps) / totalSteps);
}

/** The peak learning rate of a batch size: base·batch/256 (the linear scaling rule, Goyal et al. 2017; BYOL, §3.3). */
export const scaledLearningRate = (base: number, batch: number): number => (base * batch) / 256;

/** Whole optimiser steps of a number of epochs over `images` images: epochs·images // batch. */
export const stepsOf = (epochs: number, images: number, batch: number): number =>
  Math.floor((epochs * images) / batch);

function checkSteps(name: string, totalSteps: number, step: number): void {
  if (!(totalSteps > 0)) throw new DawnstrapError(`${name}: totalSteps is ${totalSteps} (use at least 1)`);
  if (!(step >= 0)) throw new DawnstrapError(`${name}: step ${step} is not a step (count from 0)`);
}
