using System.Collections;
using System.Reflection;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange.Tests;

/// <summary>MSAL has one cache of managed identities for the process, which its other users share.</summary>
[NonParallelizable]
internal sealed class MsalCacheTests
{
    private const string Resource = "https://shared-with-others.example";

    private static ValueTask<SubjectToken> AskAsync(string name) =>
        new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, new Wire(Wire.Json(ManagedIdentitySourceTests.Answer(name, resource: Resource))))
            .GetSubjectTokenAsync(new SubjectTokenRequest { Audience = new Audience(Resource), Backchannel = new Wire().Backchannel, Time = new SkippingTime() }, default);

    private static async Task<(Wire Wire, IManagedIdentityApplication Application)> OtherUserAsync()
    {
        var wire = new Wire(Wire.Json(ManagedIdentitySourceTests.Answer("theirs", $"\"{TimeProvider.System.GetUtcNow().AddHours(24).ToUnixTimeSeconds()}\"", Resource)));
        IManagedIdentityApplication application = ManagedIdentityApplicationBuilder.Create(Microsoft.Identity.Client.AppConfig.ManagedIdentityId.SystemAssigned).WithHttpClientFactory(new Factory(wire)).Build();
        await application.AcquireTokenForManagedIdentity(Resource).ExecuteAsync();
        return (wire, application);
    }

    [Test]
    public async Task Another_users_token_stays_in_it()
    {
        using var host = HostVariables.VirtualMachine();
        (Wire wire, IManagedIdentityApplication application) = await OtherUserAsync();

        SubjectToken ours = await AskAsync("ours");
        AuthenticationResult theirs = await application.AcquireTokenForManagedIdentity(Resource).ExecuteAsync();

        Assert.That((ours.Reveal(), theirs.AccessToken, wire.Requests.Count), Is.EqualTo((Proofs.Token("ours"), Proofs.Token("theirs"), 1)));
    }

    [Test]
    public async Task Our_token_is_nowhere_in_it()
    {
        using var host = HostVariables.VirtualMachine();
        await OtherUserAsync();

        await AskAsync("leftbehind");

        Assert.That((FoundInMsal("theirs"), FoundInMsal("leftbehind")), Is.EqualTo((true, false)), "the first shows that the search finds");
    }

    private static bool FoundInMsal(string name) => typeof(MsalException).Assembly.GetTypes().Where(type => !type.ContainsGenericParameters)
        .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
        .Any(field => !field.IsLiteral && field.FieldType.Name.StartsWith("ConcurrentDictionary", StringComparison.Ordinal) && Holds(field.GetValue(null), Proofs.Token(name), 0));

    private static bool Holds(object? value, string token, int depth) => value switch
    {
        null => false,
        _ when depth > 4 => false,
        string text => text.Contains(token, StringComparison.Ordinal),
        IDictionary entries => entries.Values.Cast<object?>().Any(entry => Holds(entry, token, depth + 1)),
        _ => value.GetType().GetProperties(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Any(property => property.PropertyType == typeof(string) && property.GetIndexParameters().Length == 0 && property.GetMethod is not null && Holds(property.GetValue(value), token, depth + 1)),
    };

    private sealed class Factory(HttpMessageHandler handler) : IMsalHttpClientFactory
    {
        public HttpClient GetHttpClient() => new(handler, disposeHandler: false);
    }
}
