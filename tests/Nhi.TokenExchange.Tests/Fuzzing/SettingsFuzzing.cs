using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>A file of settings, from its JSON to a job of a container. A value <c>secret:N</c> becomes a secret of that form.</summary>
internal static class SettingsFuzzing
{
    private const string SecretMark = "secret:";

    // 20 random bytes in hexadecimal, as long as a key.
    private static readonly string Key = "canary" + FuzzInput.Canary[^24..] + FuzzInput.Canary[^16..];

    private static readonly string[] Secrets =
    [
        Key, "dapi" + Key, $"ghp_{Key}", $"Server=x;Password={Key}", $"https://user:{Key}@workspace.example", $"https://workspace.example/?sig={Key}", $"https://workspace.example/{Key}", $"Bearer {Key}",
        $"-----BEGIN PRIVATE KEY-----{Key}", $"{{\"private_key\":\"{Key}\"}}",
    ];

    public static async Task<string> RunAsync(FuzzInput input)
    {
        if (Load(input) is not { } section)
            return "";
        var services = new ServiceCollection();
        services.AddTokenExchange(section);
        await using ServiceProvider container = services.BuildServiceProvider();
        try
        {
            JobSession session = container.GetRequiredService<JobSession>();
            await session.CompleteAsync();
            return "taken";
        }
        catch (TokenExchangeException refused)
        {
            Assert.That((refused.Code[..4], refused.Stage), Is.EqualTo(("NHI1", ExchangeStage.Configure)));
            Assert.That(refused.Message, Does.Contain("TokenExchange"), "which setting");
            Assert.That(refused.Message.Where(c => char.IsControl(c) && c is not ('\r' or '\n')), Is.Empty);
            Assert.That(Canary.FindIn(refused.ToString(), Key), Is.Empty, refused.ToString());
            return refused.Message;
        }
    }

    // Null for what the reader of JSON files, which is not ours, does not take.
    private static IConfigurationSection? Load(FuzzInput input)
    {
        IConfigurationRoot file;
        try
        {
            file = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.Latin1.GetBytes($"{input.Choice}\n{input.Rest}"))).Build();
        }
        catch (Exception notJson) when (notJson is FormatException or JsonException or InvalidDataException or InvalidOperationException)
        {
            return null;
        }
        foreach ((string path, string? value) in file.AsEnumerable().ToArray())
        {
            if (value?.StartsWith(SecretMark, StringComparison.Ordinal) == true)
                file[path] = Secrets[value.Length > SecretMark.Length ? value[SecretMark.Length] % Secrets.Length : 0];
        }
        return file.GetSection("TokenExchange");
    }
}
