namespace Nhi.TokenExchange;

/// <summary>One bar of a chart.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length, in the chart's unit; above zero, since the scale is logarithmic.</param>
/// <param name="Text">The value as it is written behind the bar.</param>
/// <param name="Color">Its colour.</param>
public sealed record Bar(string Label, double Value, string Text, string Color)
{
    public const string Ours = "#1a7f37";
    public const string Floor = "#8c959f";
    public const string Peer = "#bc4c00";
}
