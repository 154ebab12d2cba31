declare module "mat-for-js" {
  export function read(file: ArrayBuffer): { header: string; data: Record<string, unknown> };
}
