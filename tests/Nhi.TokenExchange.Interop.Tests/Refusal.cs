namespace Nhi.TokenExchange;

/// <summary>Catches what a job's first exchange throws.</summary>
internal static class Refusal
{
    public static async Task<TokenExchangeException> OfAsync(JobSession job, string target = "api")
    {
        try
        {
            await job.Provider<BearerToken>(target).GetAsync();
        }
        catch (TokenExchangeException refused)
        {
            return refused;
        }
        throw new AssertionException("A credential was issued where a refusal was expected.");
    }
}
