export const rows: readonly { of: RegExp; instead?: [string, string]; add?: string; why: string }[];
export function shorter(command: string): { words: string; why?: string };
