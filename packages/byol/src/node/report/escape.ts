/** Text as it may stand in HTML or SVG, between tags and within quoted attributes. */
export const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Characters that steer a terminal or turn the direction of what follows: of file names, and of what files say. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** With \x1b and the like written out. */
export const visible = (text: string): string =>
  text.replaceAll(steering, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });

/** Characters of a message, beyond which its middle is left out. */
const longest = 2000;

/** A message for a terminal, in which names of files, and what files say, may stand: visible, and not without end. */
export const printable = (message: string): string =>
  visible(
    message.length <= longest
      ? message
      : `${message.slice(0, longest * 0.75)} … ${message.slice(-longest * 0.25)}`,
  );
