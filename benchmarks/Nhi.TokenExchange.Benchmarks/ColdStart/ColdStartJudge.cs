using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Holds cold starts against their goals.</summary>
public static class ColdStartJudge
{
    private const double MillisecondsOverHttpClient = 10;

    public static IReadOnlyList<Goal> Judge(IReadOnlyList<ColdStartResult> results)
    {
        double At(string way, bool native = false) => results.First(result => result.Way == way && result.Native == native).Median;
        var goals = new List<Goal>
        {
            AtMost("13", "first token on the JIT, against a bare `HttpClient`", 1.3, At("ours"), At("http-client")),
            AtMost("14", "the same through a container, against `IHttpClientFactory`", 1.5, At("ours-di"), At("http-client-di")),
            AtMost("16", "first token, against AWS's STS client", 0.65, At("ours"), At("aws")),
            AtMost("16", "first token, against MSAL", 0.6, At("ours"), At("msal")),
            AtMost("16", "first token, against Azure.Identity", 0.5, At("ours"), At("azure-identity")),
        };
        if (results.Any(result => result.Native))
        {
            double more = At("ours", native: true) - At("http-client", native: true);
            goals.Add(new Goal("15", "first token, native, over a native `HttpClient`", "≤ 10 ms more", $"{more.ToString("F1", CultureInfo.InvariantCulture)} ms more", "", more <= MillisecondsOverHttpClient));
            goals.Add(AtMost("15", "first token, native, against the JIT", 0.2, At("ours", native: true), At("ours")));
        }
        return goals;
    }

    private static Goal AtMost(string number, string what, double most, double ours, double theirs)
    {
        double ratio = ours / theirs;
        return new Goal(number, what, string.Create(CultureInfo.InvariantCulture, $"≤ {most} ×"), string.Create(CultureInfo.InvariantCulture, $"{ratio:F2} ×"), "", ratio <= most);
    }
}
