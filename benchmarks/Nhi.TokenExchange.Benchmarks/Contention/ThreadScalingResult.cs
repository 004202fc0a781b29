namespace Nhi.TokenExchange;

/// <summary>Hits a second of one path.</summary>
public sealed record ThreadScalingResult(string Path, double OneThread, double TwoThreads)
{
    /// <summary>How much the second thread brings: 2 is all of it.</summary>
    public double Ratio => TwoThreads / OneThread;
}
