/**
 * Keep the keys that are pressed in `element` from JupyterLab's shortcuts, but not Ctrl+S and the like; Ctrl+Z is undo.
 * Returns the function that ends it.
 */
export function keepKeys(element) {
  const decide = (event) => {
    const itsOwn = (event.ctrlKey || event.metaKey || event.altKey) && event.key !== "z";
    if (itsOwn) delete element.dataset.lmSuppressShortcuts;
    else element.dataset.lmSuppressShortcuts = true;
  };
  window.addEventListener("keydown", decide, true);  // before JupyterLab, which listens at the document
  return () => window.removeEventListener("keydown", decide, true);
}
