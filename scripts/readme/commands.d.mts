export function commandsOf(text: string): string[];
export function shownCommands(): { file: string; command: string }[];
