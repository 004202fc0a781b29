using System.Globalization;
using System.Net;

namespace Nhi.TokenExchange;

/// <summary>A session of an AWS role for a proof of the job: AWS STS <c>AssumeRoleWithWebIdentity</c>, whose requests nobody signs.</summary>
internal sealed class AwsStsExchanger : TokenExchanger<AwsSessionCredentials>
{
    // What STS gives, whatever is handed out of it.
    private const long ShortestSeconds = 900;
    private const long LongestSeconds = 43200;

    private const int MostPolicyArns = 10;

    private readonly string _role;
    private readonly string? _sessionName;
    private readonly string? _wholePolicy;
    private readonly string[] _resources;
    private readonly byte[] _prepared;
    private readonly AwsStsRefusals _refusals;

    /// <exception cref="ArgumentException">The role, the region or an option is wrong.</exception>
    public AwsStsExchanger(string role, string region, AwsStsOptions options)
    {
        AwsPartition partition = AwsPartition.OfRegion(region) ?? throw new ArgumentException("The region is none of AWS. Give its name, such as eu-central-1; the global endpoint is not used.", nameof(region));
        if (AwsArn.FaultOfRole(role, partition) is { } fault)
            throw new ArgumentException($"The role {fault}. {AwsArn.RoleForm}.", nameof(role));
        _wholePolicy = Check(options, partition);
        _role = role;
        Region = region;
        _sessionName = options.SessionName;
        _resources = [.. options.Resources];
        Issuer = options.Endpoint ?? partition.Endpoint(region, options.UseFips);
        SubjectAudience = new Audience(options.SubjectAudience ?? partition.Audience);
        UsableMargin = options.UsableMargin;
        _refusals = new AwsStsRefusals(role, partition, region, Issuer);
        var form = new FormBody().Add("Action", "AssumeRoleWithWebIdentity").Add("Version", "2011-06-15").Add("RoleArn", role);
        for (int i = 0; i < options.PolicyArns.Count; i++)
            form.Add(string.Create(CultureInfo.InvariantCulture, $"PolicyArns.member.{i + 1}.arn"), options.PolicyArns[i]);
        _prepared = form.Encode();
    }

    public override Uri Issuer { get; }

    public string Region { get; }

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    // IAM User Guide, "Revoke IAM role temporary security credentials": a deny on the role, which its owner makes, is all there is.
    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.Yes("AWS ends no session before its time: a copy works until it dies, 15 minutes after it was issued at the soonest");

    public override ExposureAnswer VisibleToOperators => OAuthIssuer.ShownOnce;

    internal override IReadOnlyList<string> Resources => _resources;

    // Also beside a policy of the target's own, which nobody reads here.
    internal override ScopeSet DefaultScopes { get; } = ScopeSet.Of("*");

    internal override bool Contains(ScopeSet asked, ScopeSet others) => BroadScopes.Within(others, asked) == others;

    public override string? FlawOf(ScopeSet scopes) =>
        scopes.IsEmpty ? null
        : _wholePolicy is not null ? "are set beside SessionPolicy, which is the one inline policy that a session has: leave out one of them"
        : scopes.Values.Select(AwsSessionPolicy.FaultOfAction).FirstOrDefault(fault => fault is not null)
            ?? AwsSessionPolicy.FaultOfLength(AwsSessionPolicy.Of(scopes, _resources)!);

    public override async ValueTask<Issued<AwsSessionCredentials>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        if (request.Actor is not null)
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; AWS STS takes none.") { Hint = "Leave the actor out." };
        long seconds = Math.Clamp((long)request.MaxLifetime.TotalSeconds, ShortestSeconds, LongestSeconds);
        FormBody form = new FormBody()
            .Add("RoleSessionName", _sessionName ?? AwsSessionName.Of(request.Job))
            .Add("DurationSeconds", seconds.ToString(CultureInfo.InvariantCulture))
            .Add("Policy", _wholePolicy ?? AwsSessionPolicy.Of(request.Scopes == DefaultScopes ? ScopeSet.Empty : request.Scopes, [.. _resources.Where(request.MayNameResource)]))
            .Add("WebIdentityToken", request.Subject.Reveal());
        var sent = new SentSecrets();
        form.TellSecrets(sent);
        using var post = new IssuerRequest(HttpMethod.Post, Issuer, sent) { Content = form.ToContent(_prepared) };
        post.Headers.TryAddWithoutValidation("Accept", "text/xml");
        post.Options.Set(IssuerBackchannel.SaysNotNow, AwsStsRefusals.IsPassing);
        RefusalIsWanted.Set(post);
        (DateTimeOffset, long) first = LastTry.First(request.Time);
        using HttpResponseMessage response = await request.Backchannel.SendAsync(post, cancellationToken).ConfigureAwait(false);
        // Our back channel has read it; somebody else's need not have.
        using BoundedContent content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
            throw _refusals.Of(response, content.Bytes, sent, request);
        DateTimeOffset askedAt = LastTry.Of(post, first, request.Time);
        AwsStsAnswer answer = AwsStsAnswer.Read(content.Bytes, askedAt, sent);
        return Issue(answer, CorrelationIds.Of(response, sent) ?? answer.RequestId, askedAt.AddSeconds(seconds));
    }

    private Issued<AwsSessionCredentials> Issue(AwsStsAnswer answer, string? correlationId, DateTimeOffset longestEnd)
    {
        if (!answer.HasKeys)
            throw Malformed(answer.Fault ?? "has no credentials", correlationId, isTransient: true);
        // No session lives longer than was asked for, so one that seems to has its end from another clock than ours.
        DateTimeOffset end = answer.Expiration is { } said && said < longestEnd ? said : longestEnd;
        try
        {
            // The key's id ends nothing, but CloudTrail knows the session by it.
            return new Issued<AwsSessionCredentials>(new AwsSessionCredentials(answer.AccessKeyId!, answer.SecretAccessKey!, answer.SessionToken!, end) { AssumedRoleId = answer.AssumedRoleId })
            {
                EndIsAssumed = answer.Expiration is null, RevocationHandle = answer.Handle, CorrelationId = correlationId, Flaw = answer.Fault is { } fault ? Malformed(fault, correlationId, isTransient: true) : null,
            };
        }
        catch (ArgumentException exception)   // names the part and the position, never a value
        {
            throw Malformed($"has credentials that can't be sent: {ExceptionText.SaidBy(exception)}", correlationId, isTransient: false);
        }
    }

    private TokenExchangeException Malformed(string what, string? correlationId, bool isTransient) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {Issuer.IdnHost} {what}.")
        {
            IsTransient = isTransient, CorrelationId = correlationId, Hint = "Check Endpoint, if it is set; a proxy or a sign-in page may have answered.",
        };

    private static string? Check(AwsStsOptions options, AwsPartition partition)
    {
        if (options.Endpoint is { } endpoint)
        {
            OptionChecks.Issuer(endpoint, nameof(options.Endpoint));
            if (endpoint.AbsolutePath != "/")
                throw new ArgumentException("Endpoint has a path. Give the address alone, such as https://sts.eu-central-1.amazonaws.com.", nameof(options));
        }
        if (options.UseFips && (options.Endpoint is not null || !partition.HasFips))
            throw new ArgumentException(options.Endpoint is not null ? "UseFips is set beside Endpoint. Set one of them." : $"UseFips is set, and the partition '{partition.Name}' has no FIPS endpoint. Leave it out.", nameof(options));
        if (options.SessionName is { } name && AwsSessionName.FaultOf(name) is { } misnamed)
            throw new ArgumentException($"SessionName {misnamed}.", nameof(options));
        OptionChecks.Times(options.UsableMargin, TimeSpan.FromHours(1));
        if (options.PolicyArns.Count > MostPolicyArns)
            throw new ArgumentException($"PolicyArns has {options.PolicyArns.Count} entries; STS takes {MostPolicyArns}.", nameof(options));
        foreach ((int index, string arn) in options.PolicyArns.Index())
            Refuse(AwsArn.FaultOfPolicy(arn, partition), $"PolicyArns[{index}]", $" {AwsArn.PolicyForm}.");
        foreach ((int index, string arn) in options.Resources.Index())
            Refuse(AwsArn.FaultOfResource(arn, partition), $"Resources[{index}]", "");
        if (options.SessionPolicy is not { } text)
        {
            Refuse(AwsSessionPolicy.FaultOfLength(AwsSessionPolicy.Of(default, [.. options.Resources]) ?? ""), "Resources", "");
            return null;
        }
        if (options.Resources.Count > 0)
            throw new ArgumentException("SessionPolicy is set beside Resources. Set one of them.", nameof(options));
        string? policy = AwsSessionPolicy.Read(text, out string? fault);
        Refuse(fault, "SessionPolicy", "");
        return policy;
    }

    private static void Refuse(string? fault, string option, string remedy)
    {
        if (fault is not null)
            throw new ArgumentException($"{option} {fault}.{remedy}", nameof(option));
    }
}
