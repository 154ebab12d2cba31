import { add, type Device, exp, full, mul, openDevice, relu, sub, sum, type Tensor } from "@dawnstrap/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkpoint, custom, grad, gradcheck, stopGradient, valueAndGrad, vjp } from "./index.js";

describe("autograd on reference", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("reference");
  });
  afterAll(() => device.destroy());
  const vector = (...values: number[]): Tensor => device.tensor(values);
  const values = async (t: Tensor): Promise<number[]> => [...(await t.float64())];
  const cube = (x: Tensor): Tensor => mul(mul(x, x), x);

  it("differentiates with respect to each argument and passes further results through", async () => {
    const [a, b] = [vector(1, 2), vector(3, 5)];
    const { value, grads, aux } = valueAndGrad((x: Tensor, y: Tensor) => ({
      loss: sum(mul(mul(x, x), y)),
      aux: add(x, y),
    }))(a, b);
    expect(await value.item()).toBe(23);
    expect(await values(grads[0]!)).toEqual([6, 20]);
    expect(await values(grads[1]!)).toEqual([1, 4]);
    expect(await values(aux)).toEqual([4, 7]);
  });

  it("adds up the cotangents of a value that is used twice", async () => {
    const [g] = grad((x: Tensor) => sum(add(mul(x, x), mul(x, 3))))(vector(2, -1));
    expect(await values(g!)).toEqual([7, 1]);
  });

  it("gives zeros where the value does not depend on an argument", async () => {
    const [, g] = grad((x: Tensor) => sum(x))(vector(1, 2), vector(5)) as [Tensor, Tensor];
    expect(await values(g)).toEqual([0]);
  });

  it("nests: third derivative of x³ is 6", async () => {
    const d1 = (x: Tensor): Tensor => grad((y: Tensor) => sum(cube(y)))(x)[0]!;
    const d2 = (x: Tensor): Tensor => grad((y: Tensor) => sum(d1(y)))(x)[0]!;
    const d3 = (x: Tensor): Tensor => grad((y: Tensor) => sum(d2(y)))(x)[0]!;
    expect(await values(d1(vector(2, 3)))).toEqual([12, 27]);
    expect(await values(d2(vector(2, 3)))).toEqual([12, 18]);
    expect(await values(d3(vector(2, 3)))).toEqual([6, 6]);
  });

  it("treats what was computed before the call as constant, and closures over arguments as arguments", async () => {
    const x = vector(2, 4);
    const before = mul(x, 10);
    const [g] = grad(() => sum(mul(x, before)))(x);
    expect(await values(g!)).toEqual([20, 40]);
  });

  it("selects arguments by argnums and names a wrong one", async () => {
    const f = (x: Tensor, y: Tensor): Tensor => sum(mul(x, y));
    const gs = grad(f, [1])(vector(2), vector(7));
    expect(gs).toHaveLength(1);
    expect(await values(gs[0]!)).toEqual([2]);
    expect(() => grad(f, [2])(vector(2), vector(7))).toThrow(/argument 2/);
  });

  it("stops gradients", async () => {
    const [g] = grad((x: Tensor) => sum(mul(stopGradient(x), x)))(vector(3, 4));
    expect(await values(g!)).toEqual([3, 4]);
  });

  it("uses a custom derivative instead of the function's own", async () => {
    const clipped = custom(
      (x: Tensor) => relu(x),
      ({ grad: g }) => [mul(g, 100)],
    );
    const [g] = grad((x: Tensor) => sum(mul(clipped(x), 2)))(vector(-1, 1));
    expect(await values(g!)).toEqual([200, 200]);
    const wrong = custom(
      (x: Tensor) => x,
      () => [],
    );
    expect(() => grad((x: Tensor) => sum(wrong(x)))(vector(1))).toThrow(/0 cotangents for 1 inputs/);
  });

  it("checkpoints: same gradient, closures included, nested too", async () => {
    const [x, w] = [vector(0.5, -0.25), vector(2, 3)];
    const block = (y: Tensor): Tensor => exp(mul(exp(mul(y, w)), 0.1));
    const plain = grad(() => sum(block(block(x))))(x, w) as Tensor[];
    const saved = grad(() => sum(checkpoint(block)(checkpoint(block)(x))))(x, w) as Tensor[];
    const nested = grad(() => sum(checkpoint((y: Tensor) => checkpoint(block)(block(y)))(x)))(
      x,
      w,
    ) as Tensor[];
    for (const i of [0, 1]) {
      expect(await values(saved[i]!)).toEqual(await values(plain[i]!));
      expect(await values(nested[i]!)).toEqual(await values(plain[i]!));
    }
  });

  it("checkpoints record side effects once", async () => {
    let calls = 0;
    const square = checkpoint((y: Tensor) => {
      calls++;
      return mul(y, y);
    });
    grad((x: Tensor) => sum(square(x)))(vector(1));
    expect(calls).toBe(1);
  });

  it("pulls cotangents back, and says when that is too late", async () => {
    const x = vector(1, 2);
    const { value, pullback } = vjp((y: Tensor) => mul(y, y), x);
    expect(await values(pullback(vector(10, 100))[0]!)).toEqual([20, 400]);
    await value.data();
    expect(() => pullback(vector(1, 1))).toThrow(/pullback first/);
  });

  it("refuses non-scalar values, integer arguments and asynchronous functions", () => {
    expect(() => grad((x: Tensor) => mul(x, 2))(vector(1, 2))).toThrow(/returned float32 \[2\]/);
    expect(() => grad((x: Tensor) => sum(x))(device.tensor(Int32Array.of(1)))).toThrow(/argument 0 is int32/);
    expect(() => grad((async (x: Tensor) => sum(x)) as unknown as (x: Tensor) => Tensor)(vector(1))).toThrow(
      /asynchronous/,
    );
  });

  it("gradcheck accepts right gradients and catches a wrong one", async () => {
    await gradcheck((x) => sum(exp(mul(x, x!))), [vector(0.3, -0.7, 1.1)]);
    const wrong = custom(
      (x: Tensor) => mul(x, x),
      ({ inputs: [x], grad: g }) => [mul(g, x)],
    );
    await expect(gradcheck((x) => sum(wrong(x!)), [vector(0.3, -0.7)])).rejects.toThrow(/finite difference/);
  });

  it("frees no history while a trace is open", () => {
    expect(() =>
      grad((x: Tensor) => {
        void x.device.flush().catch(() => {});
        return sum(sub(x, full(x.device, [1], 1)));
      })(vector(1)),
    ).not.toThrow();
  });
});

describe("checkpointing on a compiled device", () => {
  it("holds less memory in the captured step", async () => {
    const device = await openDevice("cpu");
    const x = device.tensor(new Float32Array(1 << 16).fill(0.5));
    const block = (y: Tensor): Tensor => {
      let h = y;
      for (let i = 0; i < 6; i++) h = mul(exp(mul(h, -1)), h);
      return h;
    };
    const bytes = async (
      wrap: (f: (y: Tensor) => Tensor) => (y: Tensor) => Tensor,
    ): Promise<[number, Float32Array]> => {
      const before = device.memory().arena;
      const step = device.capture((input: Tensor) => {
        const [g] = grad((y: Tensor) => sum(wrap(block)(wrap(block)(wrap(block)(wrap(block)(y))))))(input);
        return g!;
      });
      const g = (await (await step(x)).data()) as Float32Array;
      return [device.memory().arena - before, g];
    };
    const [plain, g1] = await bytes((f) => f);
    const [saved, g2] = await bytes((f) => checkpoint(f));
    expect(saved).toBeLessThan(plain * 0.6);
    expect(g2.every((v, i) => Math.abs(v - g1[i]!) <= 1e-6)).toBe(true);
    await device.destroy();
  });
});
