// Runs before the first paint. Without a remembered choice the page follows the system through CSS alone.
try {
  const theme = localStorage.getItem('opengrid.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme it is.
}
