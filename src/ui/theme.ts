/** As the system has it, until somebody chooses. */
export type Theme = 'light' | 'dark';

const name = 'balsa-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');

export function presentTheme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemDark.matches ? 'dark' : 'light';
}

export function restoreTheme(): void {
  const chosen = localStorage.getItem(name);
  if (chosen !== null) document.documentElement.dataset['theme'] = chosen;
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(name, theme);
}
