/** What a layer asks of the last axis of what it is given. */
import { ShapeError, type Tensor } from "@dawnstrap/tensor";

/**
 * @param layer named in the error
 * @param channels that the last axis of x must have
 * @throws ShapeError where it has others; channels that stand before the pixels are recognised
 */
export function checkChannels(layer: string, x: Tensor, channels: number): void {
  const { shape } = x;
  if (shape.at(-1) === channels) return;
  const problem = `an input of shape [${shape.join(", ")}] has not ${channels} on its last axis`;
  const channelsFirst = shape.length === 4 && shape[1] === channels;
  throw new ShapeError(
    layer,
    problem,
    channelsFirst
      ? "channels come last here, [batch, height, width, channels]: give permute(x, [0, 2, 3, 1])"
      : undefined,
  );
}
