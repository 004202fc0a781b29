using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Holds cold starts against their goals.</summary>
public static class ColdStartJudge
{
    private const double MillisecondsOverHttpClient = 10;

    public static IReadOnlyList<Goal> Judge(IReadOnlyList<ColdStartResult> results)
    {
        double At(string way, Compiled compiled = Compiled.Jit) => results.First(result => result.Way == way && result.Compiled == compiled).Median;
        var goals = new List<Goal>
        {
            AtMost("13", "first token on the JIT, against a bare `HttpClient`", 1.3, At("ours", Compiled.AsShipped), At("http-client")),
            Beside("the same without the compiled code that our package brings", At("ours"), At("http-client")),
            Beside("the same, both published with `PublishReadyToRun`", At("ours", Compiled.ReadyToRun), At("http-client", Compiled.ReadyToRun)),
            AtMost("14", "first token through a container, against `IHttpClientFactory`", 1.5, At("ours-di", Compiled.AsShipped), At("http-client-di")),
        };
        if (results.Any(result => result.Compiled == Compiled.Ahead))
        {
            double more = At("ours", Compiled.Ahead) - At("http-client", Compiled.Ahead);
            goals.Add(new Goal("15", "first token, native, over a native `HttpClient`", "≤ 10 ms more", $"{more.ToString("F1", CultureInfo.InvariantCulture)} ms more", "", more <= MillisecondsOverHttpClient));
            goals.Add(AtMost("15", "first token, native, against the JIT", 0.2, At("ours", Compiled.Ahead), At("ours", Compiled.AsShipped)));
        }
        goals.Add(AtMost("16", "first token, against AWS's STS client", 0.65, At("ours", Compiled.AsShipped), At("aws")));
        goals.Add(AtMost("16", "first token, against MSAL", 0.6, At("ours", Compiled.AsShipped), At("msal")));
        goals.Add(AtMost("16", "first token, against Azure.Identity", 0.5, At("ours", Compiled.AsShipped), At("azure-identity")));
        return goals;
    }

    private static Goal Beside(string what, double ours, double theirs) =>
        new("–", what, "none", string.Create(CultureInfo.InvariantCulture, $"{ours / theirs:F2} ×"), "", null);

    private static Goal AtMost(string number, string what, double most, double ours, double theirs)
    {
        double ratio = ours / theirs;
        return new Goal(number, what, string.Create(CultureInfo.InvariantCulture, $"≤ {most} ×"), string.Create(CultureInfo.InvariantCulture, $"{ratio:F2} ×"), "", ratio <= most);
    }
}
