import { Component, type ReactNode } from 'react';

type BoundaryProps = { children: ReactNode };

/** Shown in place of a page that could not be drawn, instead of nothing. React offers this to classes only. */
export class Boundary extends Component<BoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div role="alert" className="mx-auto max-w-prose p-8">
        <h1 className="text-xl font-semibold">This page could not be drawn</h1>
        <p className="mt-2 text-text-2">
          The server may be newer or older than the page. Reload it; the data itself is at{' '}
          <code>/v1/models</code> and <code>/v1/markets</code>.
        </p>
      </div>
    );
  }
}
