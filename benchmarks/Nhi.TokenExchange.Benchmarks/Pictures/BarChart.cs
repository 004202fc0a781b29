using System.Globalization;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Horizontal bars on a logarithmic scale, as SVG: each power of ten is as wide as the next.</summary>
/// <param name="title">What the chart shows.</param>
/// <param name="caption">How to read it, one line.</param>
/// <param name="least">Where the scale begins; bars that are shorter show as a mark.</param>
/// <param name="bars">From top to bottom.</param>
public sealed class BarChart(string title, string caption, double least, IReadOnlyList<Bar> bars)
{
    // Wide enough for the longest label in the widest of the fonts that systems bring.
    private const int Width = 1020;
    private const int Left = 450;
    private const int Right = 150;
    private const int Top = 82;
    private const int Row = 26;
    private const int ShortestBar = 3;

    private double Most => Math.Pow(10, Math.Ceiling(Math.Log10(bars.Max(bar => bar.Value))));

    public string ToSvg()
    {
        int height = Top + (bars.Count * Row) + 14;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escaped(title)}</title>\n<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"14\" y=\"26\" font-size=\"17\" font-weight=\"600\" fill=\"#1f2328\">{Escaped(title)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"14\" y=\"46\" fill=\"#59636e\">{Escaped(caption)}</text>\n");
        for (double power = Math.Pow(10, Math.Ceiling(Math.Log10(least))); power <= Most; power *= 10)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{At(power):F1}\" y=\"{Top - 9}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#59636e\">{power:N0}</text>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{At(power):F1}\" x2=\"{At(power):F1}\" y1=\"{Top - 4}\" y2=\"{height - 10}\" stroke=\"#d1d9e0\"/>\n");
        }
        for (int i = 0; i < bars.Count; i++)
            Write(svg, bars[i], Top + (i * Row));
        return svg.Append("</svg>\n").ToString();
    }

    private void Write(StringBuilder svg, Bar bar, int y)
    {
        double end = Math.Max(At(Math.Max(bar.Value, least)), Left + ShortestBar);
        string weight = bar.Color == Bar.Ours ? " font-weight=\"600\"" : "";
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 10}\" y=\"{y + 15}\" text-anchor=\"end\" fill=\"#1f2328\"{weight}>{Escaped(bar.Label)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{y + 2}\" width=\"{end - Left:F1}\" height=\"18\" rx=\"2\" fill=\"{bar.Color}\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{end + 6:F1}\" y=\"{y + 15}\" fill=\"#1f2328\"{weight}>{Escaped(bar.Text)}</text>\n");
    }

    private double At(double value) => Left + ((Width - Left - Right) * Math.Log10(value / least) / Math.Log10(Most / least));

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}
