/** uPlot as uplot.js leaves it in the page. */
import type UPlot from "uplot";

declare global {
  const uPlot: typeof UPlot;
  type uPlot = UPlot;
  namespace uPlot {
    type Options = UPlot.Options;
    type Axis = UPlot.Axis;
    type Scale = UPlot.Scale;
    type Series = UPlot.Series;
  }
}
