using System.Net.Http.Headers;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Answers of Google Cloud. First line: <c>a</c> for a service account, <c>b</c> for a boundary, <c>c</c> for both, else the workload's own token; then <c>s</c> if a scope is asked for. After it the answers, of STS first.</summary>
internal static class GoogleFuzzing
{
    private const string Sts = "sts.googleapis.com";
    private const string Iam = "iamcredentials.googleapis.com";

    public static async Task<string> RunAsync(FuzzInput input)
    {
        bool hasAccount = input.ChoiceAt(0) is 'a' or 'c', hasBoundary = input.ChoiceAt(0) is 'b' or 'c';
        TokenExchanger<BearerToken> exchanger = Targets.GoogleSts("projects/123456789012/locations/global/workloadIdentityPools/jobs/providers/github", o =>
        {
            if (hasAccount)
                o.ServiceAccount = GoogleJob.Account;
            if (!hasBoundary)
                return;
            o.Resources.Add("//storage.googleapis.com/projects/_/buckets/orders");
            o.Permissions.Add("inRole:roles/storage.objectViewer");
        });
        string proof = FuzzInput.Proof(exchanger.SubjectAudience);
        var wire = new FuzzedWire(input.Rest, proof);
        await using MutationJob job = await MutationJob.StartAsync(
            wire, b => b.Identity("job", MutationJob.Source(proof), ActsFor.Workload).Target("archive", exchanger, "job", input.ChoiceAt(1) == 's' ? ["https://www.googleapis.com/auth/devstorage.read_only"] : []));

        BearerToken? token = await job.GetAsync<BearerToken>("archive");
        string said = await job.CompleteAsync(FuzzInput.Canary);

        wire.AssertBounded(2, hasAccount ? [Sts, Iam] : [Sts]);   // of STS the boundary asks at the same place
        if (token is null)
            return said;
        job.AssertLives(token);
        using var request = new HttpRequestMessage();
        token.ApplyTo(request.Headers);
        Assert.That(AuthenticationHeaderValue.Parse(request.Headers.Authorization!.ToString()).Parameter, Is.EqualTo(token.Reveal()));
        // The token of the last step, and none that may do more.
        Uri last = wire.Requests.Last().Place;
        Assert.That(last.Authority, Is.EqualTo(hasAccount && !hasBoundary ? Iam : Sts));
        Assert.That(wire.Requests.Last().Body.Contains("options=", StringComparison.Ordinal), Is.EqualTo(hasBoundary));
        Assert.That(wire.Requests.SelectMany(request => new[] { request.Token, System.Web.HttpUtility.ParseQueryString(request.Body)["subject_token"] }), Has.None.EqualTo(token.Reveal()), "what was sent is no answer");
        if (hasAccount)
            Assert.That(token.ExpiresAt, Is.LessThanOrEqualTo(job.HandedOutAt + MutationJob.LongestHandOut));
        return said;
    }
}
