/** Whether some tap of some window lies outside of the image, along one axis: only then must a kernel look. */
export const reachesOut = (
  size: number,
  out: number,
  k: number,
  stride: number,
  dilation: number,
  pad: number,
): boolean => pad > 0 || (out - 1) * stride - pad + (k - 1) * dilation >= size;
