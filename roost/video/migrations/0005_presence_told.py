from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('video', '0004_presence_account'),
    ]

    operations = [
        migrations.AddField(
            model_name='presence',
            name='told_at',
            field=models.DateTimeField(null=True),
        ),
    ]
