// Every English word of the page, the pad and the walkable network; to translate them, translate this file.

export const TEXTS = {
  pad: {
    paper: "Drawing pad: draw one digit with the mouse, a finger, a pen or the arrow keys",
    keys: "Arrow keys move the pen. Space lowers and lifts it. Ctrl+Z takes the last stroke back.",
    penDown: "Pen down",
    penUp: "Pen up",
    clear: "Clear",
    undo: "Undo",
    bars: "Probability of each digit",
  },
};
